import type { Bytes } from "@ckptkit/core";
import type { StreamCodec } from "../codecs/stream-source.js";
import type { JsonObject } from "./json.js";

/** One step of the way from the bytes of a chunk to what is stored. */
export type ByteCodec =
  | { readonly id: StreamCodec | "blosc" | "lz4" | "crc32c" }
  /** Bytes ordered by their place in elements of so many bytes. */
  | { readonly id: "shuffle"; readonly itemBytes: number };

/** Chunks that are kept together, with an index of where each is. */
export interface ShardLayout {
  /** Chunks of a shard along each axis. */
  readonly counts: readonly number[];
  readonly indexCodecs: readonly ByteCodec[];
  readonly isIndexAtEnd: boolean;
  readonly isIndexBigEndian: boolean;
}

/** How an array of zarr is stored, whichever version says so. */
export interface ZarrArray {
  readonly shape: readonly number[];
  /** Sizes of the chunks that are compressed one by one. */
  readonly chunkShape: readonly number[];
  readonly dtype: string;
  readonly bits: number;
  readonly bigEndian: boolean;
  /** One element as it is stored, where no chunk was written; zeros when undefined. */
  readonly fill: Bytes | undefined;
  /** For each axis of a stored chunk, the axis of the array that it is; undefined when they are the same. */
  readonly order: readonly number[] | undefined;
  /** In the order in which they were applied. */
  readonly codecs: readonly ByteCodec[];
  readonly shards: ShardLayout | undefined;
  /** The key of the chunk or shard at these steps along the axes, from the array's own key on. */
  keyOf(steps: readonly number[]): string;
}

/** What metadata say of an array: how it is stored, or why its numbers are not read. */
export interface ArrayDescription {
  readonly array: ZarrArray | undefined;
  /** The data type as the metadata have it. */
  readonly type: string;
  readonly shape: readonly number[];
  /** What is not read here, where `array` is undefined: a codec, a data type. */
  readonly unknown: string | undefined;
  readonly attributes: JsonObject;
}
