import type { ByteSource } from "@ckptkit/core";
import { lookup3 } from "../src/hdf5/checksum.js";
import { concat, fields, type Piece, sparseSource, text } from "./sparse-source.js";

/** One message of an object header. */
export interface BuiltMessage {
  readonly type: number;
  readonly body: Uint8Array;
}

const withChecksum = (bytes: Uint8Array): Uint8Array => concat(bytes, fields([4, lookup3(bytes)]));

/** An address; undefined: nothing was allocated. */
export const address = (at: number | undefined): Uint8Array => (at === undefined ? new Uint8Array(8).fill(0xff) : fields([8, at]));

/** Any structure that begins with letters and ends with its checksum. */
export const structure = (letters: string, ...parts: Uint8Array[]): Uint8Array => withChecksum(concat(text(letters), ...parts));

/** An object header of version 2. */
export function objectHeader(...messages: readonly BuiltMessage[]): Uint8Array {
  const body = concat(...messages.map(({ type, body: content }) => concat(fields([1, type], [2, content.length], [1, 0]), content)));
  return structure("OHDR", fields([1, 2], [1, 2], [4, body.length]), body);
}

/** A link to the object at an address. */
export const link = (name: string, at: number): BuiltMessage => ({
  type: 6,
  body: concat(fields([1, 1], [1, 0], [1, text(name).length]), text(name), address(at)),
});

/** Sizes of a dataset. */
export const dataspace = (...shape: number[]): BuiltMessage => ({
  type: 1,
  body: concat(fields([1, 2], [1, shape.length], [1, 0], [1, shape.length > 0 ? 1 : 0]), ...shape.map((size) => fields([8, size]))),
});

/** The datatype of little-endian float32. */
export const float32Type = fields(
  [1, 0x11],
  [1, 0x20],
  [1, 31],
  [1, 0],
  [4, 4],
  [2, 0],
  [2, 32],
  [1, 23],
  [1, 8],
  [1, 0],
  [1, 23],
  [4, 127],
);
export const float32: BuiltMessage = { type: 3, body: float32Type };

export const contiguous = (at: number | undefined, byteLength: number): BuiltMessage => ({
  type: 8,
  body: concat(fields([1, 3], [1, 1]), address(at), fields([8, byteLength])),
});

/** Chunks in an index: its type, what describes it, and its address. */
export const chunked = (chunk: readonly number[], index: number, description: Uint8Array, at: number | undefined): BuiltMessage => ({
  type: 8,
  body: concat(
    fields([1, 4], [1, 2], [1, 0], [1, chunk.length + 1], [1, 4]),
    ...[...chunk, 4].map((size) => fields([4, size])),
    fields([1, index]),
    description,
    address(at),
  ),
});

/** Gzip, as a filter. */
export const gzip: BuiltMessage = { type: 11, body: fields([1, 2], [1, 1], [2, 1], [2, 0], [2, 1], [4, 6]) };

/** Bytes of the superblock. */
export const SUPERBLOCK_BYTES = 48;

/** A file of version 2 with the root's header right behind the superblock, and other parts at their places. */
export function hdf5File(root: Uint8Array, parts: readonly Piece[] = [], size?: number): ByteSource {
  const end = Math.max(SUPERBLOCK_BYTES + root.length, ...parts.map(({ at, bytes }) => at + bytes.length), size ?? 0);
  const signature = fields([1, 0x89], [1, 0x48], [1, 0x44], [1, 0x46], [1, 0x0d], [1, 0x0a], [1, 0x1a], [1, 0x0a]);
  const head = concat(
    signature,
    fields([1, 2], [1, 8], [1, 8], [1, 0], [8, 0]),
    address(undefined),
    fields([8, end], [8, SUPERBLOCK_BYTES]),
  );
  return sparseSource(end, [{ at: 0, bytes: concat(withChecksum(head), root) }, ...parts], "built.h5");
}
