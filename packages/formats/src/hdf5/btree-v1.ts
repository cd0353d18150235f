import type { Reading } from "@ckptkit/core";
import { hdf5Error } from "./errors.js";
import type { Fields } from "./fields.js";
import type { Hdf5File } from "./file.js";

/** What a tree is of: groups' links, or chunks of a dataset. */
export interface TreeKind<T> {
  readonly type: 0 | 1;
  /** Bytes of a key. */
  readonly keyBytes: number;
  /** What a leaf's entry says: its key, and the address that follows it. */
  leaf(key: Fields, child: number): T;
}

/**
 * Every entry of a B-tree of version 1, in the order of its keys.
 *
 * @throws {CheckpointLoadError} HDF5_CORRUPT, LIMIT_EXCEEDED
 * @see https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html (III.A.1. Disk Format: Level 1A1 - Version 1 B-trees)
 */
export function* readBtreeV1<T>(file: Hdf5File, root: number, kind: TreeKind<T>): Reading<T[]> {
  const entries: T[] = [];
  const seen = new Set<number>();
  // A stack rather than recursion: the nodes still to be read, the next one last.
  const waiting: { address: number; level: number | undefined }[] = [{ address: root, level: undefined }];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { address, level } = next;
    const what = `the B-tree node at ${address}`;
    if (seen.has(address)) throw hdf5Error(file.name, `${what} stands in its tree twice`);
    seen.add(address);
    const head = yield* file.fields(address, 8 + 2 * file.offsetBytes, what);
    head.signature("TREE");
    if (head.u8() !== kind.type) throw head.bad("is of another kind of tree");
    const found = head.u8();
    if (level !== undefined && found !== level) throw head.bad(`is of level ${found}, not ${level}`);
    const count = head.u16();
    const body = yield* file.fields(address + head.bytes.length, count * (kind.keyBytes + file.offsetBytes) + kind.keyBytes, what);
    const children: number[] = [];
    for (let index = 0; index < count; index++) {
      const key = body.at;
      body.skip(kind.keyBytes);
      const child = body.givenAddress();
      const after = body.at;
      if (found > 0) children.push(child);
      else {
        body.at = key;
        entries.push(kind.leaf(body, child));
      }
      body.at = after;
    }
    for (const child of children.reverse()) waiting.push({ address: child, level: found - 1 });
  }
  return entries;
}
