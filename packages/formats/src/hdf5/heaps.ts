import type { Bytes, Reading } from "@ckptkit/core";
import { hdf5Error } from "./errors.js";
import type { Fields } from "./fields.js";
import type { Hdf5File } from "./file.js";

/**
 * The names of an old group: a heap of text, of which links know the places.
 *
 * @throws {CheckpointLoadError} HDF5_CORRUPT, LIMIT_EXCEEDED
 * @see https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html (III.D. Disk Format: Level 1D - Local Heaps)
 */
export function* readLocalHeap(file: Hdf5File, address: number): Reading<(offset: number) => string> {
  const what = `the heap at ${address}`;
  const head = yield* file.fields(address, 8 + 2 * file.lengthBytes + file.offsetBytes, what);
  head.signature("HEAP");
  head.version(0);
  head.skip(3);
  const length = head.length();
  head.length();
  const names = yield* file.fields(head.givenAddress(), length, what);
  return (offset) => {
    if (offset >= length) throw names.bad(`has no name at ${offset}`);
    names.at = offset;
    return names.zeroEnded();
  };
}

/** Collections of the global heap that are kept: values of one attribute stand in one or two. */
const MOST_COLLECTIONS = 64;

/** Values of varying length. */
export class GlobalHeap {
  readonly #file: Hdf5File;
  readonly #collections = new Map<number, ReadonlyMap<number, Bytes>>();

  constructor(file: Hdf5File) {
    this.#file = file;
  }

  /**
   * One value.
   *
   * @throws {CheckpointLoadError} HDF5_CORRUPT, LIMIT_EXCEEDED
   * @see https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html (III.E. Disk Format: Level 1E - Global Heap)
   */
  *value(address: number, index: number): Reading<Bytes> {
    const collection = this.#collections.get(address) ?? (yield* this.#read(address));
    const value = collection.get(index);
    if (!value) throw hdf5Error(this.#file.name, `the global heap at ${address} has no value ${index}`);
    this.#file.spend(value.length);
    return value;
  }

  *#read(address: number): Reading<ReadonlyMap<number, Bytes>> {
    const file = this.#file;
    const what = `the global heap at ${address}`;
    const head = yield* file.fields(address, 8 + file.lengthBytes, what);
    head.signature("GCOL");
    head.version(1);
    head.skip(3);
    const length = head.length();
    if (length < head.bytes.length) throw head.bad(`gives itself ${length} bytes`);
    const fields: Fields = yield* file.fields(address, length, what);
    fields.skip(head.bytes.length);
    const values = new Map<number, Bytes>();
    while (fields.left >= 8 + file.lengthBytes) {
      const index = fields.u16();
      if (index === 0) break; // the rest is free
      fields.skip(6);
      values.set(index, fields.take(fields.length()));
      fields.align();
    }
    const [oldest] = this.#collections.keys();
    if (oldest !== undefined && this.#collections.size >= MOST_COLLECTIONS) this.#collections.delete(oldest);
    this.#collections.set(address, values);
    return values;
  }
}
