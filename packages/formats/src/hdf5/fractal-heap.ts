import type { Bytes, Reading } from "@ckptkit/core";
import { bytesFor, readBtreeV2 } from "./btree-v2.js";
import { hdf5Unsupported } from "./errors.js";
import { Fields } from "./fields.js";
import type { Hdf5File } from "./file.js";

/** Whole rows of an indirect block's pointers, read once. */
interface Block {
  readonly children: readonly (number | undefined)[];
}

/** Indirect blocks within each other; each has rows of blocks that are larger, so that few are needed. */
const MOST_NESTED = 16;

/**
 * A heap of links or attributes of one object.
 *
 * @see https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html (III.G. Disk Format: Level 1G - Fractal Heap)
 */
export class FractalHeap {
  readonly #file: Hdf5File;
  readonly #what: string;
  #idBytes = 0;
  #hugeTree: number | undefined;
  #width = 0;
  #startBytes = 0;
  #mostDirectBytes = 0;
  #offsetBytes = 0;
  #lengthBytes = 0;
  #root: number | undefined;
  #rootRows = 0;
  #isChecked = false;
  #huge: Map<number, { address: number; length: number }> | undefined;
  readonly #indirect = new Map<number, Block>();
  readonly #direct = new Map<number, Bytes>();

  private constructor(file: Hdf5File, address: number) {
    this.#file = file;
    this.#what = `the fractal heap at ${address}`;
  }

  /** @throws {CheckpointLoadError} HDF5_CORRUPT, HDF5_UNSUPPORTED, LIMIT_EXCEEDED */
  static *open(file: Hdf5File, address: number): Reading<FractalHeap> {
    const heap = new FractalHeap(file, address);
    const what = heap.#what;
    const { offsetBytes: offset, lengthBytes: length } = file;
    const bytes = yield* file.read(address, 26 + 12 * length + 3 * offset, what);
    const fields = new Fields(bytes, file, what);
    fields.signature("FRHP");
    fields.version(0);
    heap.#idBytes = fields.u16();
    if (fields.u16() > 0) throw hdf5Unsupported(file.name, "A heap of links or attributes is compressed");
    heap.#isChecked = (fields.u8() & 2) !== 0;
    const mostManaged = fields.u32();
    fields.skip(length);
    heap.#hugeTree = fields.address();
    fields.skip(length + offset + 8 * length);
    heap.#width = fields.u16();
    heap.#startBytes = fields.length();
    heap.#mostDirectBytes = fields.length();
    const bits = fields.u16();
    fields.skip(2);
    heap.#root = fields.address();
    heap.#rootRows = fields.u16();
    file.verify(bytes, what);
    const { width, start, most } = { width: heap.#width, start: heap.#startBytes, most: heap.#mostDirectBytes };
    if (width === 0 || !isPower(width) || !isPower(start) || !isPower(most) || most < start || bits > 64)
      throw fields.bad("has sizes that make no sense");
    heap.#offsetBytes = Math.ceil(bits / 8);
    heap.#lengthBytes = Math.min(Math.ceil(Math.log2(most) / 8), bytesFor(mostManaged));
    return heap;
  }

  /** The object of an identifier. @throws {CheckpointLoadError} HDF5_CORRUPT, HDF5_UNSUPPORTED, LIMIT_EXCEEDED */
  *object(identifier: Bytes): Reading<Bytes> {
    const id = new Fields(identifier, this.#file, `an identifier of ${this.#what}`);
    const head = id.u8();
    if (head >> 6 !== 0) throw id.bad(`has version ${head >> 6}`);
    switch ((head >> 4) & 3) {
      case 0: {
        const offset = id.uint(this.#offsetBytes);
        return yield* this.#managed(offset, id.uint(this.#lengthBytes), id);
      }
      case 1:
        return yield* this.#hugeObject(id);
      case 2: {
        const extended = this.#idBytes > 18;
        const count = extended ? (head & 15) * 256 + id.u8() + 1 : (head & 15) + 1;
        return id.take(count);
      }
      default:
        throw id.bad("is of an unknown kind");
    }
  }

  *#managed(offset: number, length: number, id: Fields): Reading<Bytes> {
    let address = this.#root;
    let rows = this.#rootRows;
    let base = 0;
    let blockBytes = this.#startBytes;
    for (let depth = 0; rows > 0; depth++) {
      if (address === undefined || depth > MOST_NESTED) throw id.bad(`leads to ${offset}, where nothing is`);
      const inner = offset - base;
      const row = inner < this.#width * this.#startBytes ? 0 : Math.floor(Math.log2(inner / (this.#width * this.#startBytes))) + 1;
      if (row >= rows) throw id.bad(`leads to ${offset}, beyond the heap`);
      blockBytes = this.#startBytes * 2 ** Math.max(0, row - 1);
      const rowStart = row === 0 ? 0 : this.#width * this.#startBytes * 2 ** (row - 1);
      const column = Math.floor((inner - rowStart) / blockBytes);
      const { children } = yield* this.#indirectBlock(address, rows);
      address = children[row * this.#width + column];
      base += rowStart + column * blockBytes;
      // A row of blocks that are too large to be direct ones has indirect ones, with as many rows as make up that size.
      rows = blockBytes <= this.#mostDirectBytes ? 0 : Math.log2(blockBytes / (this.#startBytes * this.#width)) + 1;
    }
    if (address === undefined) throw id.bad(`leads to ${offset}, where nothing is`);
    const block = this.#direct.get(address) ?? (yield* this.#directBlock(address, blockBytes));
    const at = offset - base;
    if (at + length > block.length) throw id.bad(`gives an object of ${length} bytes at ${at} of a block of ${block.length}`);
    this.#file.spend(length);
    return block.subarray(at, at + length);
  }

  *#directBlock(address: number, blockBytes: number): Reading<Bytes> {
    const what = `a block of ${this.#what}`;
    const block = yield* this.#file.read(address, blockBytes, what);
    const fields = new Fields(block, this.#file, what);
    fields.signature("FHDB");
    fields.version(0);
    if (this.#isChecked) {
      // The checksum stands after the head, and counts as 0 in what it is made of.
      fields.skip(this.#file.offsetBytes + this.#offsetBytes);
      const at = fields.at;
      const stored = fields.take(4).slice();
      const copy = new Uint8Array(block.length + 4);
      copy.set(block);
      copy.fill(0, at, at + 4);
      copy.set(stored, block.length);
      this.#file.verify(copy, what);
    }
    this.#direct.set(address, block);
    return block;
  }

  *#indirectBlock(address: number, rows: number): Reading<Block> {
    const known = this.#indirect.get(address);
    if (known) return known;
    const count = rows * this.#width;
    const { offsetBytes } = this.#file;
    const length = 5 + offsetBytes + this.#offsetBytes + count * offsetBytes + 4;
    const fields = yield* this.#file.checked(address, length, `an indirect block of ${this.#what}`);
    fields.signature("FHIB");
    fields.version(0);
    fields.skip(offsetBytes + this.#offsetBytes);
    const block = { children: Array.from({ length: count }, () => fields.address()) };
    this.#indirect.set(address, block);
    return block;
  }

  /** Objects that are too large for blocks stand by themselves; a tree tells where. */
  *#hugeObject(id: Fields): Reading<Bytes> {
    const { offsetBytes, lengthBytes } = this.#file;
    if (this.#idBytes > offsetBytes + lengthBytes) {
      const address = id.givenAddress();
      return yield* this.#file.read(address, id.length(), "a large object");
    }
    const key = id.uint(Math.min(id.left, lengthBytes));
    if (!this.#huge) {
      if (this.#hugeTree === undefined) throw id.bad("leads to a large object, and there are none");
      const records = yield* readBtreeV2(this.#file, this.#hugeTree, 1, (record): [number, { address: number; length: number }] => {
        const place = { address: record.givenAddress(), length: record.length() };
        return [record.length(), place];
      });
      this.#huge = new Map(records);
    }
    const place = this.#huge.get(key);
    if (!place) throw id.bad(`leads to the large object ${key}, which there is not`);
    return yield* this.#file.read(place.address, place.length, "a large object");
  }
}

const isPower = (value: number): boolean => value > 0 && Number.isInteger(Math.log2(value));
