import {
  asNumber,
  bitsOf,
  CheckpointError,
  countElements,
  type Finding,
  getEntry,
  isNode,
  type MapNode,
  Storage,
  type TensorSpec,
  type Tree,
} from "@ckptkit/core";
import { joinedSource } from "../joined-source.js";
import { quoted } from "../quoted.js";

/** @see https://github.com/google/flax flax/serialization.py, _chunk */
const CHUNKED = "__msgpack_chunked_array__";

/** One tensor of the chunks into which Flax divides arrays of more than a gigabyte; any other map is itself. */
export function assembleChunks(map: MapNode, at: string, findings: Finding[]): Tree {
  if (getEntry(map, CHUNKED) === undefined) return map;
  const shape = members(getEntry(map, "shape"))?.map((size) => asNumber(size) ?? -1);
  const chunks = members(getEntry(map, "chunks"))?.map((chunk) => (isNode(chunk) && chunk.kind === "tensor" ? chunk.tensor : undefined));
  const tensor = shape && chunks && joined(shape, chunks, at);
  if (tensor) return { kind: "tensor", tensor };
  findings.push({
    rule: "flax-chunked-array",
    severity: "error",
    message: `The chunks of ${quoted(at)} do not make one array: they are shown as they stand.`,
    at,
  });
  return map;
}

/** What Flax makes of a tuple: a map whose keys are its indices. */
function members(tree: Tree | undefined): Tree[] | undefined {
  if (!isNode(tree) || tree.kind !== "map") return undefined;
  const byIndex = new Map(tree.entries);
  const values = tree.entries.map((_, index) => byIndex.get(String(index)));
  return values.every((value) => value !== undefined) ? values : undefined;
}

function joined(shape: readonly number[], chunks: readonly (TensorSpec | undefined)[], at: string): TensorSpec | undefined {
  const [first] = chunks;
  if (!first) return undefined;
  const bits = bitsOf(first);
  const parts = chunks.flatMap((chunk) => (chunk?.storage && chunk.dtype === first.dtype ? [chunk.storage] : []));
  if (parts.length < chunks.length) return undefined;
  try {
    const needed = (countElements(shape) * bits) / 8;
    if (needed !== parts.reduce((sum, { byteLength }) => sum + byteLength, 0)) return undefined;
  } catch (error) {
    if (error instanceof CheckpointError) return undefined;
    throw error;
  }
  const bytes = joinedSource(parts, at);
  const { fileOffset } = first.storage ?? {};
  const storage = new Storage({ id: at, bytes, ...(fileOffset === undefined ? {} : { fileOffset }) });
  return { dtype: first.dtype, bits, shape, storage, byteOffset: 0 };
}
