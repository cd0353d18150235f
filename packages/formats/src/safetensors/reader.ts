import {
  type ByteSource,
  type Checkpoint,
  type FormatReader,
  finish,
  finishSync,
  type Json,
  type MapNode,
  type OpenOptions,
  type Reading,
  Storage,
  sliceSource,
  TensorHandle,
  withLimits,
} from "@ckptkit/core";
import { LENGTH_BYTES, readHeader, type SafetensorsHeader } from "./header.js";

/** Opens safetensors files from their header alone. */
export const safetensorsReader: FormatReader = {
  format: "safetensors",
  matches({ head, size }) {
    if (head.length < LENGTH_BYTES + 1) return false;
    const declared = new DataView(head.buffer, head.byteOffset).getBigUint64(0, true);
    const first = String.fromCharCode(head[LENGTH_BYTES] ?? 0);
    return (declared <= BigInt(size) && "{ \t\r\n".includes(first) && declared >= 2n) || looksLikeHeader(head);
  },
  open: openSafetensors,
  openSync: (source, options) => finishSync(readSafetensors(source, options)),
};

/** A cut-off file still begins like one: a JSON object that speaks of dtypes or metadata. */
function looksLikeHeader(head: Uint8Array): boolean {
  return /^\s*\{\s*"(?:[^"\\]|\\.)*"\s*:\s*\{/.test(String.fromCharCode(...head.subarray(LENGTH_BYTES, LENGTH_BYTES + 400)));
}

/**
 * Opens one safetensors file. Two reads at the most: the header's length and the header.
 *
 * @throws {CheckpointLoadError} SAFETENSORS_HEADER, SAFETENSORS_OFFSETS, LIMIT_EXCEEDED
 * @example const checkpoint = await openSafetensors(blobSource(file));
 */
export async function openSafetensors(source: ByteSource, options: OpenOptions = {}): Promise<Checkpoint> {
  return finish(readSafetensors(source, options));
}

function* readSafetensors(source: ByteSource, options: OpenOptions): Reading<Checkpoint> {
  const header = yield* readHeader(source, options.mode === "strict", withLimits(options.limits), options);
  const tensors = handlesOf(source, header);
  return {
    uri: source.name,
    format: "safetensors",
    layout: "state_dict",
    byteLength: source.size,
    tensors,
    tree: treeOf(tensors),
    metadata: metadataToJson(header.metadata),
    findings: header.findings,
    close: async () => source.close?.(),
  };
}

/** Tensor handles of one file, in the order of its header. */
export function handlesOf(source: ByteSource, header: SafetensorsHeader): TensorHandle[] {
  return header.tensors.map(({ name, dtype, shape, begin, end }) => {
    const start = header.dataStart + begin;
    const bytes = sliceSource(source, start, header.dataStart + end, `${source.name}#${name}`);
    const storage = new Storage({ id: name, bytes, fileOffset: start });
    return new TensorHandle({ dtype, shape, storage, byteOffset: 0 }, { keys: [name], name, group: "model" });
  });
}

/** The tree of a flat set of tensors. */
export function treeOf(tensors: readonly TensorHandle[]): MapNode {
  return { kind: "map", type: "dict", entries: tensors.map((tensor) => [tensor.name, { kind: "tensor", tensor: tensor.spec }]) };
}

/** `__metadata__` as JSON: values stay strings, as the format has them. */
export function metadataToJson(metadata: ReadonlyMap<string, string>): { [key: string]: Json } {
  return Object.fromEntries(metadata); // defines own properties, so that "__proto__" is an ordinary key
}
