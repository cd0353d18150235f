import type {
  Bytes,
  CastDType,
  HashAlgorithm,
  Hasher,
  KernelBuffer,
  Kernels,
  ScanDType,
  Scanner,
  ScanPart,
  ScanResult,
} from "@ckptkit/core";
import { DTYPES } from "@ckptkit/core";
import { Arena } from "./arena.js";
import { isByteDType } from "./byte-scan.js";
import { checkByteLength, checkCast, memoryUsedUp } from "./checks.js";
import { hasherOf, scannerOf } from "./handles.js";
import { UNIT, UNIT_OF_HUGE, UNIT_OF_TINY } from "./js/scan-node.js";
import type { KernelExports } from "./kernel-exports.js";
import { mergeScans } from "./merge-scans.js";
import { HASHES, type StateHash } from "./wasm-hashes.js";

/** Bytes of a page of WebAssembly memory. */
export const PAGE_BYTES = 65536;

/** Bytes that do not lie in the kernels' memory are copied through an area of this size: small enough for a second-level cache. */
const SCRATCH_BYTES = 128 * 1024;
/** The areas before the scratch, in bytes: a digest, and the room that assembly/cast.ts asks for. */
const DIGEST_BYTES = 64;
const ROOM_BYTES = 128;
/** assembly/crc32.ts: the context of one polynomial. */
const CRC_CONTEXT_BYTES = 28672;
/** assembly/scan-state.ts */
const SCAN_STATE_BYTES = 12416;
/** There: the number of whole blocks, the nodes by level, and the node of the last block. */
const SCAN_BLOCKS = 88;
const SCAN_NODES = 128;
const SCAN_NODE_BYTES = 40;
const SCAN_LAST_NODE = 1888;
/** assembly/scan.ts, countBytes */
const COUNT_STATE_BYTES = 8192;

/** The kinds of elements of assembly/scan.ts; undefined for those that are counted by their bytes. */
const SCAN_KINDS = { F64: 0, F32: 1, C64: 1, F16: 2, BF16: 3, I64: 4, U64: 5, I32: 6, U32: 7, I16: 8, U16: 9 } as const;

/** Reflected polynomials, in the order of their contexts. */
const POLYNOMIALS = { crc32: 0xedb88320, crc32c: 0x82f63b78 } as const;

/** The kernels in WebAssembly, over a memory that never grows. */
export class WasmKernels implements Kernels {
  readonly name = "wasm";
  readonly #exports: KernelExports;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #arena: Arena;
  readonly #digest: number;
  readonly #room: number;
  readonly #scratch: number;
  readonly #contexts: number;
  readonly #readyContexts = new Set<number>();

  constructor(exports: KernelExports, memory: WebAssembly.Memory) {
    this.#exports = exports;
    this.#bytes = new Uint8Array(memory.buffer);
    this.#view = new DataView(memory.buffer);
    this.#digest = Math.ceil(exports.heapBase() / 64) * 64;
    this.#room = this.#digest + DIGEST_BYTES;
    this.#contexts = this.#room + ROOM_BYTES;
    this.#scratch = this.#contexts + 2 * CRC_CONTEXT_BYTES;
    this.#arena = new Arena(this.#scratch + SCRATCH_BYTES, this.#bytes.length);
  }

  allocate(byteLength: number): KernelBuffer {
    checkByteLength(byteLength);
    const address = this.#allocate(byteLength);
    let freed = false;
    return {
      bytes: this.#bytes.subarray(address, address + byteLength),
      free: () => {
        // Twice must not free what has been given to another since.
        if (!freed) this.#arena.free(address);
        freed = true;
      },
    };
  }

  scanner(dtype: ScanDType): Scanner {
    return scannerOf(dtype, () => {
      if (isByteDType(dtype)) {
        const tables = this.#allocate(COUNT_STATE_BYTES);
        this.#bytes.fill(0, tables, tables + COUNT_STATE_BYTES);
        return {
          update: (bytes) => this.#feed(bytes, (pointer, length) => this.#exports.countBytes(tables, pointer, length)),
          finish: () => ({ dtype, counts: this.#counts(tables) }),
          release: () => this.#arena.free(tables),
        };
      }
      const state = this.#allocate(SCAN_STATE_BYTES);
      this.#exports.scanInit(state, SCAN_KINDS[dtype]);
      return {
        update: (bytes) => this.#feed(bytes, (pointer, length) => this.#exports.scanUpdate(state, pointer, length)),
        finish: () => this.#scanPart(dtype, this.#exports.scanResult(state) >>> 0),
        release: () => this.#arena.free(state),
      };
    });
  }

  mergeScans(parts: readonly ScanPart[]): ScanResult {
    return mergeScans(parts);
  }

  hasher(algorithm: HashAlgorithm): Hasher {
    return hasherOf(algorithm, () =>
      algorithm === "crc32" || algorithm === "crc32c" ? this.#crc(algorithm) : this.#hash(HASHES[algorithm]),
    );
  }

  cast(from: CastDType, to: CastDType, source: Bytes, target: Bytes): number {
    const byteLength = checkCast(from, to, source, target);
    const sourceBytes = DTYPES[from].bits / 8;
    const targetBytes = DTYPES[to].bits / 8;
    const inside = target.buffer === this.#bytes.buffer;
    // Outside of the memory, each end of the cast has one half of the scratch; 8 bytes are the largest element.
    const half = SCRATCH_BYTES / 2;
    const elements = source.length / sourceBytes;
    const step = inside && source.buffer === target.buffer ? elements : half / 8;
    for (let done = 0; done < elements; done += step) {
      const count = Math.min(step, elements - done);
      const from_ = source.subarray(done * sourceBytes, (done + count) * sourceBytes);
      const out = inside ? target.byteOffset + done * targetBytes : this.#scratch + half;
      this.#exports.cast(SCAN_KINDS[from], SCAN_KINDS[to], this.#place(from_), count, out, this.#room);
      if (!inside) target.set(this.#bytes.subarray(out, out + count * targetBytes), done * targetBytes);
    }
    return byteLength;
  }

  #allocate(byteLength: number): number {
    const address = this.#arena.allocate(byteLength);
    if (address === undefined) throw memoryUsedUp(byteLength, this.#bytes.length);
    return address;
  }

  /** The address of bytes: where they are, or the scratch, into which they are copied. */
  #place(bytes: Bytes): number {
    if (bytes.buffer === this.#bytes.buffer) return bytes.byteOffset;
    this.#bytes.set(bytes, this.#scratch);
    return this.#scratch;
  }

  /** Calls `work` with the bytes in the memory: in place when they are there, else copied piece by piece. */
  #feed(bytes: Bytes, work: (pointer: number, length: number) => void): void {
    if (bytes.buffer === this.#bytes.buffer) {
      work(bytes.byteOffset, bytes.length);
      return;
    }
    for (let at = 0; at < bytes.length; at += SCRATCH_BYTES) {
      const piece = bytes.subarray(at, at + SCRATCH_BYTES);
      work(this.#place(piece), piece.length);
    }
  }

  #hash({ stateBytes, digestBytes, start }: StateHash) {
    const { init, update, digest } = start(this.#exports);
    const state = this.#allocate(stateBytes);
    init(state);
    return {
      update: (bytes: Bytes) => this.#feed(bytes, (pointer, length) => update(state, pointer, length)),
      finish: () => {
        digest(state, this.#digest);
        return this.#bytes.slice(this.#digest, this.#digest + digestBytes);
      },
      release: () => this.#arena.free(state),
    };
  }

  #crc(algorithm: keyof typeof POLYNOMIALS) {
    const polynomial = POLYNOMIALS[algorithm];
    const context = this.#contexts + (algorithm === "crc32" ? 0 : CRC_CONTEXT_BYTES);
    if (!this.#readyContexts.has(context)) this.#exports.crc32Init(context, polynomial);
    this.#readyContexts.add(context);
    let register = -1;
    return {
      update: (bytes: Bytes) =>
        this.#feed(bytes, (pointer, length) => {
          register = this.#exports.crc32Update(context, polynomial, register, pointer, length);
        }),
      finish: () => {
        const digest = new Uint8Array(4);
        new DataView(digest.buffer).setInt32(0, ~register);
        return digest;
      },
      release: () => {},
    };
  }

  /** The four tables of countBytes, added up. Counts are exact up to 2^53. */
  #counts(tables: number): Float64Array<ArrayBuffer> {
    return Float64Array.from({ length: 256 }, (_, byte) => {
      let sum = 0n;
      for (let table = 0; table < 4; table++) sum += this.#view.getBigUint64(tables + 2048 * table + 8 * byte, true);
      return Number(sum);
    });
  }

  /** Reads what a scan has found: byte maps in assembly/scan-state.ts. */
  #scanPart(dtype: ScanDType, at: number): ScanPart {
    const number = (offset: number): number => this.#view.getFloat64(at + offset, true);
    const exact = (offset: number): number | bigint => {
      if (dtype === "I64") return this.#view.getBigInt64(at + offset, true);
      return dtype === "U64" ? this.#view.getBigUint64(at + offset, true) : number(offset);
    };
    const blocks = this.#view.getBigUint64(at + SCAN_BLOCKS, true);
    // Everything was merged into the node of the highest digit; without a whole block there is only that of the last one.
    const node = blocks === 0n ? SCAN_LAST_NODE : SCAN_NODES + SCAN_NODE_BYTES * (blocks.toString(2).length - 1);
    const n = number(node + 24);
    return {
      dtype,
      count: number(48),
      nan: number(16),
      posInf: number(24),
      negInf: number(32),
      zeros: number(40),
      min: n > 0 ? Number(exact(0)) : Infinity,
      max: n > 0 ? Number(exact(8)) : -Infinity,
      node: { k: exact(node), mean: number(node + 8), squares: number(node + 16), n, unit: this.#unit(at + node + 32) },
    };
  }

  #unit(at: number): number {
    const scale = this.#view.getInt32(at, true);
    return scale === 0 ? UNIT : scale > 0 ? UNIT_OF_HUGE : UNIT_OF_TINY;
  }
}
