import {
  type ByteSource,
  type Checkpoint,
  checkLimit,
  type Finding,
  type FormatReader,
  finish,
  finishSync,
  type OpenOptions,
  type Reading,
  withLimits,
} from "@ckptkit/core";
import { placeJaxTensors } from "../jax-groups.js";
import { describeTree } from "../metadata.js";
import { assembleChunks } from "./chunked.js";
import { MsgpackCursor, msgpackError } from "./cursor.js";
import { flaxSignature } from "./signature.js";
import { readValue } from "./values.js";

/** Opens what `flax.serialization.to_bytes` wrote. */
export const flaxReader: FormatReader = {
  ...flaxSignature,
  open: openFlax,
  openSync: (source, options) => finishSync(readFlax(source, options)),
};

/**
 * Opens a MessagePack file of Flax (`flax_model.msgpack`): its maps and names are read, the bytes of its arrays passed over. Arrays that
 * Flax divided into chunks are one tensor.
 *
 * @throws {CheckpointLoadError} MSGPACK_CORRUPT, LIMIT_EXCEEDED
 * @see https://flax-linen.readthedocs.io/en/latest/api_reference/flax.serialization.html
 * @example
 * const { tensors } = await openFlax(blobSource(file));
 * for (const { name, dtype, shape } of tensors) console.log(name, dtype, shape);
 */
export async function openFlax(source: ByteSource, options: OpenOptions = {}): Promise<Checkpoint> {
  return finish(readFlax(source, options));
}

function* readFlax(source: ByteSource, options: OpenOptions): Reading<Checkpoint> {
  const limits = withLimits(options.limits);
  const findings: Finding[] = [];
  const cursor = new MsgpackCursor(source, limits, options);
  const tree = yield* readValue({ cursor, findings, finishMap: (map, at) => assembleChunks(map, at, findings) });
  if (cursor.left > 0) {
    const message = `${cursor.left} bytes follow the last value of ${source.name}: Flax refuses such a file.`;
    if (options.mode === "strict") throw msgpackError(source.name, message);
    findings.push({ rule: "msgpack-trailing-bytes", severity: "warning", message });
  }
  const { tensors, layout } = placeJaxTensors(tree, limits, findings);
  checkLimit(limits, "tensors", tensors.length, `Tensors of ${source.name}`);
  return {
    uri: source.name,
    format: "flax-msgpack",
    layout,
    byteLength: source.size,
    tensors,
    tree,
    metadata: describeTree(tree, limits),
    findings,
    close: async () => source.close?.(),
  };
}
