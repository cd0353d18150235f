import type { Reading } from "@ckptkit/core";
import { hdf5Error } from "./errors.js";
import { Fields } from "./fields.js";
import type { Hdf5File } from "./file.js";

/** Bytes of a node besides its records and pointers: signature, version, type and checksum. */
const NODE_BYTES = 10;
/** Levels of a tree; one of nodes with two records each that is so deep has more records than a file can have bytes. */
const MOST_DEPTH = 64;

/** How many bytes hold numbers up to `most`. */
export const bytesFor = (most: number): number => {
  let bytes = 1;
  while (bytes < 8 && most >= 256 ** bytes) bytes++;
  return bytes;
};

/**
 * Every record of a B-tree of version 2, in its order.
 *
 * @param type the kind of its records.
 * @param parse reads one record, whose bytes are all of the fields.
 * @throws {CheckpointLoadError} HDF5_CORRUPT, LIMIT_EXCEEDED
 * @see https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html (III.A.2. Disk Format: Level 1A2 - Version 2 B-trees)
 */
export function* readBtreeV2<T>(file: Hdf5File, address: number, type: number, parse: (record: Fields) => T): Reading<T[]> {
  const { offsetBytes, lengthBytes } = file;
  const header = yield* file.checked(address, 22 + offsetBytes + lengthBytes, `the B-tree at ${address}`);
  header.signature("BTHD");
  header.version(0);
  if (header.u8() !== type) throw header.bad(`is not of type ${type}`);
  const nodeBytes = header.u32();
  const recordBytes = header.u16();
  const depth = header.u16();
  header.skip(2);
  const root = header.address();
  const rootRecords = header.u16();
  if (root === undefined || rootRecords === 0) return [];
  if (depth > MOST_DEPTH || recordBytes === 0 || nodeBytes < NODE_BYTES + recordBytes) throw header.bad("has nodes that hold nothing");

  // How many records a node of each level may have, and all below it: that decides how wide the counts in pointers are.
  const leafMost = Math.floor((nodeBytes - NODE_BYTES) / recordBytes);
  const countBytes = bytesFor(leafMost);
  const pointerBytes = [0];
  const totals = [leafMost];
  for (let level = 1; level <= depth; level++) {
    const pointer = offsetBytes + countBytes + (level > 1 ? bytesFor(totals[level - 1] ?? 0) : 0);
    const most = Math.floor((nodeBytes - NODE_BYTES - pointer) / (recordBytes + pointer));
    pointerBytes.push(pointer);
    totals.push((most + 1) * (totals[level - 1] ?? 0) + most);
  }

  const records: T[] = [];
  const seen = new Set<number>();
  function* node(start: number, level: number, count: number): Reading<void> {
    const what = `the B-tree node at ${start}`;
    if (seen.has(start)) throw hdf5Error(file.name, `${what} stands in its tree twice`);
    seen.add(start);
    const pointer = pointerBytes[level] ?? 0;
    const body = 6 + count * recordBytes + (level > 0 ? (count + 1) * pointer : 0);
    const fields = yield* file.checked(start, body + 4, what);
    fields.signature(level > 0 ? "BTIN" : "BTLF");
    fields.version(0);
    if (fields.u8() !== type) throw fields.bad("is of another kind of tree");
    for (let index = 0; index <= count; index++) {
      if (level > 0) {
        fields.at = 6 + count * recordBytes + index * pointer;
        const child = fields.givenAddress();
        yield* node(child, level - 1, fields.uint(countBytes));
      }
      if (index === count) break;
      fields.at = 6 + index * recordBytes;
      records.push(parse(new Fields(fields.take(recordBytes), file, what)));
    }
  }
  yield* node(root, depth, rootRecords);
  return records;
}
