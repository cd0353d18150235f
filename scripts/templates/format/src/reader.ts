import {
  type ByteSource,
  type Checkpoint,
  CheckpointLoadError,
  checkLimit,
  type FormatReader,
  type OpenOptions,
  Storage,
  sliceSource,
  type Tree,
  withLimits,
} from "@ckptkit/core";
import { checkpointOfTree } from "../tree-checkpoint.js";
import { MAGIC, templateNameSignature } from "./signature.js";

/** Opens files of the format. */
export const templateNameReader: FormatReader = { ...templateNameSignature, open: openTemplateName };

/** Bytes of the length of the description, a little-endian uint32 behind the magic. */
const LENGTH_BYTES = 4;

/** A tensor as the description has it; `at` is its first byte, counted from the end of the description. */
interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly at: number;
}

/**
 * Opens a file from its description: a JSON object of `{ dtype, shape, at }` by name, behind the magic and its own length. No tensor is read.
 *
 * @throws {CheckpointLoadError} UNSUPPORTED_FORMAT, LIMIT_EXCEEDED, TENSOR_OUT_OF_BOUNDS
 * @example const { tensors } = await openTemplateName(blobSource(file));
 */
export async function openTemplateName(source: ByteSource, options: OpenOptions = {}): Promise<Checkpoint> {
  const start = MAGIC.length + LENGTH_BYTES;
  if (source.size < start) throw damaged(source, `it has ${source.size} bytes, and its head ${start}`);
  const head = await source.read(0, start, options);
  const length = new DataView(head.buffer, head.byteOffset).getUint32(MAGIC.length, true);
  const dataStart = start + length;
  // A length that the file declares is compared with its real size, and with what may be held, before it is believed.
  if (dataStart > source.size) throw damaged(source, `a description of ${length} bytes was declared, and ${source.size - start} follow`);
  const limits = withLimits(options.limits);
  checkLimit(limits, "headerBytes", length, `the description of ${source.name}`);
  const entries = parseEntries(source, await source.read(start, dataStart, options));
  const bytes = sliceSource(source, dataStart, source.size, `${source.name}#data`);
  const storage = new Storage({ id: "data", bytes, fileOffset: dataStart });
  const values = entries.map(([name, { dtype, shape, at }]): [Tree, Tree] => [
    name,
    { kind: "tensor", tensor: { dtype, shape, storage, byteOffset: at } },
  ]);
  const checkpoint = checkpointOfTree(
    { kind: "map", type: "dict", entries: values },
    { uri: source.name, format: "template-name", limits },
  );
  return { ...checkpoint, byteLength: source.size, close: async () => source.close?.() };
}

function parseEntries(source: ByteSource, bytes: Uint8Array): [string, Entry][] {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.slice()));
  } catch (cause) {
    throw damaged(source, "its description is not valid JSON", cause);
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw damaged(source, "its description is no object of tensors");
  return Object.entries(json).map(([name, entry]) => {
    if (!isEntry(entry)) throw damaged(source, `its entry ${JSON.stringify(name)} is not { dtype, shape, at }`);
    return [name, entry];
  });
}

const isCount = (value: unknown): value is number => typeof value === "number" && Number.isSafeInteger(value) && value >= 0;

const isEntry = (value: unknown): value is Entry =>
  typeof value === "object" &&
  value !== null &&
  "dtype" in value &&
  typeof value.dtype === "string" &&
  "shape" in value &&
  Array.isArray(value.shape) &&
  value.shape.every(isCount) &&
  "at" in value &&
  isCount(value.at);

const damaged = (source: ByteSource, why: string, cause?: unknown): CheckpointLoadError =>
  new CheckpointLoadError("UNSUPPORTED_FORMAT", `${source.name} is damaged: ${why}.`, { details: { name: source.name }, cause });
