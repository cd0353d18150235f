import { countElements } from "@ckptkit/core";
import { elementOfName } from "../array-dtypes.js";
import { elementOf } from "../npz/npy-header.js";
import type { ArrayDescription, ZarrArray } from "./array.js";
import { byteCodec, checkChain, UnknownCodec } from "./codecs.js";
import { zarrError } from "./errors.js";
import { fillBytes } from "./fill-value.js";
import { isObject, isSizes, type JsonObject } from "./json.js";

/**
 * Reads `.zarray`.
 *
 * @throws {CheckpointLoadError} ZARR_CORRUPT, TENSOR_OUT_OF_BOUNDS
 * @see https://zarr-specs.readthedocs.io/en/latest/v2/v2.0.html
 */
export function describeV2(metadata: JsonObject, attributes: JsonObject, name: string): ArrayDescription {
  const { shape, chunks, dtype: type, order, dimension_separator: separator = "." } = metadata;
  if (!isSizes(shape) || !isSizes(chunks) || shape.length !== chunks.length)
    throw zarrError(name, "shape and chunks are no lists of sizes of one length");
  if (chunks.includes(0) && !shape.includes(0)) throw zarrError(name, "a chunk has the size 0");
  if (separator !== "." && separator !== "/") throw zarrError(name, "its dimension_separator is neither . nor /");
  if (order !== "C" && order !== "F") throw zarrError(name, "its order is neither C nor F");
  countElements(shape);
  countElements(chunks);
  const text = typeof type === "string" ? type : JSON.stringify(type)?.slice(0, 200);
  const described = { type: text ?? "", shape, attributes };
  try {
    return { ...described, array: arrayOf(metadata, shape, chunks, separator, name), unknown: undefined };
  } catch (error) {
    if (!(error instanceof UnknownCodec)) throw error;
    return { ...described, array: undefined, unknown: error.message };
  }
}

function arrayOf(metadata: JsonObject, shape: number[], chunks: number[], separator: string, name: string): ZarrArray {
  const { dtype: type, filters, compressor, order, fill_value: fillValue } = metadata;
  const element = typeof type === "string" ? elementOfType(type) : undefined;
  if (!element) throw new UnknownCodec(`the data type ${JSON.stringify(type)?.slice(0, 100)}`);
  const steps = [...(Array.isArray(filters) ? filters : []), ...(compressor === null || compressor === undefined ? [] : [compressor])];
  const codecs = checkChain(
    steps.map((step: unknown) => {
      if (!isObject(step)) throw zarrError(name, "a filter or compressor is no object");
      return byteCodec(step.id, step);
    }),
  );
  const fill = fillBytes(fillValue, element.dtype, element.bits, element.bigEndian);
  return {
    ...element,
    shape,
    chunkShape: chunks.map((size) => Math.max(1, size)),
    fill: fill?.some((byte) => byte !== 0) ? fill : undefined,
    order: order === "F" && shape.length > 1 ? shape.map((_, axis) => shape.length - 1 - axis) : undefined,
    codecs,
    shards: undefined,
    keyOf: (at) => (at.length === 0 ? "0" : at.join(separator)),
  };
}

/** numpy's `<f4`, or the name of a type of ml_dtypes, which TensorStore and Orbax write. */
function elementOfType(type: string): { dtype: string; bits: number; bigEndian: boolean } | undefined {
  const named = elementOfName(type);
  if (named) return { ...named, bigEndian: false };
  const element = elementOf(type);
  return element && element.bits > 0 ? element : undefined;
}
