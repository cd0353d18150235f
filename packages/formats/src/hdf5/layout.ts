import type { Bytes } from "@ckptkit/core";
import type { Fields } from "./fields.js";

/** How the chunks of a dataset are found. */
export type ChunkIndex =
  | { readonly kind: "btree-v1" | "btree-v2" | "implicit"; readonly address: number | undefined }
  | { readonly kind: "single"; readonly address: number | undefined; readonly storedBytes: number | undefined; readonly mask: number }
  | { readonly kind: "fixed-array"; readonly address: number | undefined }
  | { readonly kind: "extensible-array"; readonly address: number | undefined };

/** Where the bytes of a dataset are. */
export type DataLayout =
  | { readonly kind: "compact"; readonly bytes: Bytes }
  | { readonly kind: "contiguous"; readonly address: number | undefined; readonly byteLength: number | undefined }
  | {
      readonly kind: "chunked";
      /** Elements of a chunk on each axis. */
      readonly chunkShape: readonly number[];
      readonly index: ChunkIndex;
      /** Chunks that reach over the edge of the dataset are not filtered. */
      readonly edgesUnfiltered: boolean;
    }
  | { readonly kind: "virtual" };

const MOST_AXES = 33;

/**
 * Reads a data layout message of version 1 to 5.
 *
 * @param axes of the dataset.
 * @throws {CheckpointLoadError} HDF5_CORRUPT
 * @see https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html (IV.A.2.i. The Data Layout Message)
 */
export function parseLayout(fields: Fields, axes: number): DataLayout {
  const version = fields.version(1, 2, 3, 4, 5);
  if (version < 3) return oldLayout(fields, axes);
  const kind = fields.u8();
  switch (kind) {
    case 0:
      return { kind: "compact", bytes: fields.take(fields.u16()) };
    case 1:
      return { kind: "contiguous", address: fields.address(), byteLength: fields.length() };
    case 2:
      return version === 3 ? chunkedBefore4(fields, axes) : chunked(fields, axes);
    case 3:
      return { kind: "virtual" };
    default:
      throw fields.bad(`has a layout of class ${kind}`);
  }
}

function oldLayout(fields: Fields, axes: number): DataLayout {
  const count = fields.u8();
  const kind = fields.u8();
  fields.skip(5);
  if (count > MOST_AXES || kind > 2) throw fields.bad(`has a layout of class ${kind} with ${count} sizes`);
  const address = kind === 0 ? undefined : fields.address();
  const sizes = Array.from({ length: count }, () => fields.u32());
  if (kind === 0) return { kind: "compact", bytes: fields.take(fields.u32()) };
  if (kind === 1) return { kind: "contiguous", address, byteLength: undefined };
  return { kind: "chunked", chunkShape: chunkShapeOf(sizes, axes, fields), index: { kind: "btree-v1", address }, edgesUnfiltered: false };
}

function chunkedBefore4(fields: Fields, axes: number): DataLayout {
  const count = fields.u8();
  const address = fields.address();
  if (count > MOST_AXES) throw fields.bad(`has a layout of ${count} sizes`);
  const sizes = Array.from({ length: count }, () => fields.u32());
  return { kind: "chunked", chunkShape: chunkShapeOf(sizes, axes, fields), index: { kind: "btree-v1", address }, edgesUnfiltered: false };
}

function chunked(fields: Fields, axes: number): DataLayout {
  const flags = fields.u8();
  const count = fields.u8();
  const width = fields.u8();
  if (count > MOST_AXES || width < 1 || width > 8) throw fields.bad(`has a layout of ${count} sizes of ${width} bytes`);
  const sizes = Array.from({ length: count }, () => fields.uint(width));
  return {
    kind: "chunked",
    chunkShape: chunkShapeOf(sizes, axes, fields),
    index: indexOf(fields, flags),
    edgesUnfiltered: (flags & 1) !== 0,
  };
}

/** Bytes that describe an index in the message. The index itself repeats them. */
const INDEX_BYTES = { "fixed-array": 1, "extensible-array": 5, "btree-v2": 6 } as const;

function indexOf(fields: Fields, flags: number): ChunkIndex {
  const type = fields.u8();
  if (type === 1) {
    const isFiltered = (flags & 2) !== 0;
    const storedBytes = isFiltered ? fields.length() : undefined;
    const mask = isFiltered ? fields.u32() : 0;
    return { kind: "single", storedBytes, mask, address: fields.address() };
  }
  if (type === 2) return { kind: "implicit", address: fields.address() };
  const kind = ([undefined, undefined, undefined, "fixed-array", "extensible-array", "btree-v2"] as const)[type];
  if (!kind) throw fields.bad(`has chunks in an index of type ${type}`);
  fields.skip(INDEX_BYTES[kind]);
  return { kind, address: fields.address() };
}

/** The sizes but the last, which is that of an element. */
function chunkShapeOf(sizes: readonly number[], axes: number, fields: Fields): number[] {
  const shape = sizes.slice(0, -1);
  if (shape.length !== axes || axes === 0) throw fields.bad(`has chunks of ${shape.length} axes, where the dataset has ${axes}`);
  if (shape.includes(0)) throw fields.bad("has chunks without elements");
  return shape;
}
