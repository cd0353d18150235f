import { countElements } from "@ckptkit/core";
import { type ElementType, elementOfName } from "../array-dtypes.js";
import type { ArrayDescription, ByteCodec, ShardLayout, ZarrArray } from "./array.js";
import { byteCodec, checkChain, type NamedCodec, namedCodecs, UnknownCodec } from "./codecs.js";
import { zarrError } from "./errors.js";
import { fillBytes } from "./fill-value.js";
import { isObject, isSizes, type JsonObject } from "./json.js";

/**
 * Reads `zarr.json` of an array.
 *
 * @throws {CheckpointLoadError} ZARR_CORRUPT, TENSOR_OUT_OF_BOUNDS
 * @see https://zarr-specs.readthedocs.io/en/latest/v3/core/index.html#array-metadata
 */
export function describeV3(metadata: JsonObject, name: string): ArrayDescription {
  const { shape, data_type: type, chunk_grid: grid } = metadata;
  if (!isSizes(shape)) throw zarrError(name, "its shape is no list of sizes");
  countElements(shape);
  const described = {
    type: typeof type === "string" ? type : (JSON.stringify(type)?.slice(0, 200) ?? ""),
    shape,
    attributes: isObject(metadata.attributes) ? metadata.attributes : {},
  };
  try {
    return { ...described, array: arrayOf(metadata, shape, grid, name), unknown: undefined };
  } catch (error) {
    if (!(error instanceof UnknownCodec)) throw error;
    return { ...described, array: undefined, unknown: error.message };
  }
}

function arrayOf(metadata: JsonObject, shape: number[], grid: unknown, name: string): ZarrArray {
  const { data_type: type, fill_value: fillValue } = metadata;
  const element = typeof type === "string" ? elementOfName(type) : undefined;
  if (!element) throw new UnknownCodec(`the data type ${JSON.stringify(type)?.slice(0, 100)}`);
  if (!isObject(grid) || grid.name !== "regular") throw new UnknownCodec("chunks that are not regular");
  const chunkShape = sizesOf(isObject(grid.configuration) ? grid.configuration.chunk_shape : undefined, shape.length, name);
  const codecs = namedCodecs(metadata.codecs);
  if (!codecs) throw zarrError(name, "its codecs are no list of codecs");
  if (Array.isArray(metadata.storage_transformers) && metadata.storage_transformers.length > 0)
    throw new UnknownCodec("storage transformers");
  const keyOf = keysOf(metadata.chunk_key_encoding, name);
  const outer = chainOf(codecs, chunkShape, element, name);
  const { bytes, sharding } = outer;
  const shards = sharding && shardLayout(sharding, chunkShape, name);
  const inner = shards ? chainOf(namedCodecs(sharding.settings.codecs) ?? [], shards.innerShape, element, name) : outer;
  if (shards && inner.sharding) throw new UnknownCodec("shards within shards");
  if (shards && bytes.length > 0) throw new UnknownCodec("shards that are compressed as a whole");
  if (shards && outer.order) throw new UnknownCodec("shards that are transposed");
  const bigEndian = shards ? inner.isBigEndian : outer.isBigEndian;
  const fill = fillBytes(fillValue, element.dtype, element.bits, bigEndian);
  return {
    ...element,
    shape,
    chunkShape: shards ? shards.innerShape : chunkShape,
    bigEndian,
    fill: fill?.some((byte) => byte !== 0) ? fill : undefined,
    order: inner.order,
    codecs: shards ? inner.bytes : bytes,
    shards,
    keyOf,
  };
}

/** @throws {CheckpointLoadError} ZARR_CORRUPT unless there are as many sizes as axes, none of them 0 */
function sizesOf(value: unknown, axes: number, name: string): number[] {
  if (!isSizes(value) || value.length !== axes || value.includes(0))
    throw zarrError(name, `its chunks have no size along each of ${axes} axes`);
  countElements(value);
  return value;
}

function keysOf(encoding: unknown, name: string): ZarrArray["keyOf"] {
  const { name: kind, configuration } = isObject(encoding) ? encoding : { name: encoding, configuration: undefined };
  const separator = isObject(configuration) ? configuration.separator : undefined;
  if (separator !== undefined && separator !== "." && separator !== "/")
    throw zarrError(name, "the separator of its keys is neither . nor /");
  if (kind === "default") return (steps) => ["c", ...steps].join(separator ?? "/");
  if (kind === "v2") return (steps) => (steps.length === 0 ? "0" : steps.join(separator ?? "."));
  throw new UnknownCodec(`keys of the kind ${JSON.stringify(kind)?.slice(0, 100)}`);
}

/** Codecs by what they do: first with axes, then from elements to bytes, then with bytes. */
interface Chain {
  readonly order: number[] | undefined;
  readonly isBigEndian: boolean;
  readonly sharding: NamedCodec | undefined;
  readonly bytes: readonly ByteCodec[];
}

function chainOf(codecs: readonly NamedCodec[], chunkShape: readonly number[], element: ElementType, name: string): Chain {
  let order: number[] | undefined;
  const rest = [...codecs];
  for (let first = rest[0]; first?.name === "transpose"; first = rest[0]) {
    rest.shift();
    const next = orderOf(first.settings.order, chunkShape.length, name);
    order = order ? next.map((axis) => order?.[axis] ?? axis) : next;
  }
  const toBytes = rest.shift();
  if (!toBytes) throw zarrError(name, "no codec makes bytes of its elements");
  const bytes = (): readonly ByteCodec[] => checkChain(rest.map((codec) => byteCodec(codec.name, codec.settings)));
  const isPlain = order?.every((axis, index) => axis === index) ?? true;
  const chain = { order: isPlain ? undefined : order, bytes: bytes() };
  if (toBytes.name === "sharding_indexed") return { ...chain, isBigEndian: false, sharding: toBytes };
  if (toBytes.name !== "bytes" && toBytes.name !== "endian")
    throw new UnknownCodec(`the codec ${JSON.stringify(toBytes.name).slice(0, 100)}`);
  return { ...chain, isBigEndian: toBytes.settings.endian === "big" && element.bits > 8, sharding: undefined };
}

/** A permutation of the axes; older versions name those of numpy. */
function orderOf(value: unknown, axes: number, name: string): number[] {
  const plain = Array.from({ length: axes }, (_, axis) => axis);
  if (value === "C") return plain;
  if (value === "F") return plain.reverse();
  if (isSizes(value) && value.length === axes && plain.every((axis) => value.includes(axis))) return value;
  throw zarrError(name, "the order of a transposition is no order of its axes");
}

/** @see https://zarr-specs.readthedocs.io/en/latest/v3/codecs/sharding-indexed/index.html */
function shardLayout({ settings }: NamedCodec, shardShape: number[], name: string): ShardLayout & { innerShape: number[] } {
  const innerShape = sizesOf(settings.chunk_shape, shardShape.length, name);
  if (shardShape.some((size, axis) => size % (innerShape[axis] ?? 1) !== 0))
    throw zarrError(name, "its shards are no whole number of chunks");
  const { index_location: place = "end" } = settings;
  if (place !== "end" && place !== "start") throw zarrError(name, "the index of its shards is neither at their start nor at their end");
  const indexChain = chainOf(namedCodecs(settings.index_codecs) ?? [], [1], { dtype: "U64", bits: 64 }, name);
  if (indexChain.bytes.some(({ id }) => id !== "crc32c")) throw new UnknownCodec("a compressed index of shards");
  return {
    innerShape,
    counts: shardShape.map((size, axis) => size / (innerShape[axis] ?? 1)),
    indexCodecs: indexChain.bytes,
    isIndexAtEnd: place === "end",
    isIndexBigEndian: indexChain.isBigEndian,
  };
}
