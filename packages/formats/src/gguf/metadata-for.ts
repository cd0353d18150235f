import type { Checkpoint, Json } from "@ckptkit/core";
import { ggufMetadataOf } from "./reader.js";
import type { GgufValue } from "./values.js";

/** What changes when tensors are cast or quantised. @see https://github.com/ggml-org/ggml/blob/master/docs/gguf.md general.file_type */
const FILE_TYPE: Readonly<Record<string, number>> = { F32: 0, F16: 1, Q8_0: 7, BF16: 32 };
/** Keys that tell of the file, and not of the model. */
const OF_THE_FILE = /^(?:general\.alignment|split\..*)$/;
const ARCHITECTURE = "general.architecture";
const FILE_TYPE_KEY = "general.file_type";

/**
 * The metadata with which a checkpoint is written as GGUF: its own, with the types that it had when it comes from GGUF; else its plain values,
 * those that hold others as JSON. What is given counts more.
 *
 * @param dtype to which its tensors are cast or quantised
 */
export function ggufMetadataFor(
  checkpoint: Pick<Checkpoint, "tree" | "metadata">,
  given: Readonly<Record<string, string>> = {},
  dtype?: string | undefined,
): Map<string, GgufValue> {
  const values = new Map<string, GgufValue>([[ARCHITECTURE, { type: "string", value: "unknown" }]]);
  const own = ggufMetadataOf(checkpoint);
  for (const [key, value] of own ?? plainValues(checkpoint.metadata)) if (!OF_THE_FILE.test(key)) values.set(key, value);
  for (const [key, value] of Object.entries(given)) values.set(key, { type: "string", value });
  const fileType = dtype === undefined ? undefined : FILE_TYPE[dtype];
  if (fileType !== undefined) values.set(FILE_TYPE_KEY, { type: "uint32", value: fileType });
  else if (dtype !== undefined) values.delete(FILE_TYPE_KEY);
  if (dtype === "Q8_0") values.set("general.quantization_version", { type: "uint32", value: 2 });
  return values;
}

function* plainValues(metadata: { readonly [key: string]: Json }): Generator<[string, GgufValue], void, void> {
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value === "string") yield [key, { type: "string", value }];
    else if (typeof value === "boolean") yield [key, { type: "bool", value }];
    else if (typeof value === "number") yield [key, { type: Number.isSafeInteger(value) ? "int64" : "float64", value }];
    else if (value !== null) yield [key, { type: "string", value: JSON.stringify(value) }];
  }
}
