import {
  type ByteSource,
  type Bytes,
  CheckpointLoadError,
  checkLimit,
  type DType,
  type ErrorCode,
  type Finding,
  isDType,
  type Limits,
  type Reading,
  readStep,
  type SignalOptions,
} from "@ckptkit/core";
import { quoted } from "../quoted.js";
import { checkOffsets, type HeaderTensor } from "./offsets.js";
import { parseStrictJson, type StrictJson, type StrictJsonResult } from "./strict-json.js";

/** Bytes of the header's length field (format, "8 bytes: N, an unsigned little-endian 64-bit integer"). */
export const LENGTH_BYTES = 8;

/** The data section begins at a multiple of this many bytes in what the reference implementation writes. */
export const ALIGNMENT = 8;

/** Dtypes of the format, as its reference implementation names them (safetensors/src/tensor.rs, enum Dtype). */
export const SAFETENSORS_DTYPES: ReadonlySet<string> = new Set<DType>([
  "BOOL",
  "F4",
  "F6_E2M3",
  "F6_E3M2",
  "U8",
  "I8",
  "F8_E5M2",
  "F8_E4M3",
  "F8_E5M2FNUZ",
  "F8_E4M3FNUZ",
  "F8_E8M0",
  "I16",
  "U16",
  "F16",
  "BF16",
  "I32",
  "U32",
  "F32",
  "C64",
  "F64",
  "I64",
  "U64",
]);

/** A header that was read and checked. */
export interface SafetensorsHeader {
  /** In the order of the header's JSON. */
  tensors: HeaderTensor[];
  /** The `__metadata__` map. */
  metadata: Map<string, string>;
  /** Where the data section begins in the file. */
  dataStart: number;
  findings: Finding[];
}

/** The error for a header whose form is wrong. */
function malformed(name: string, why: string, details: Record<string, unknown> = {}): CheckpointLoadError {
  return new CheckpointLoadError("SAFETENSORS_HEADER", `The header of ${name} ${why}.`, { details });
}

/**
 * Reads and checks the header of a safetensors file: length, JSON, and that tensors fill the data section exactly.
 * `strict` refuses what the format's page forbids; otherwise what its reference implementation accepts is accepted, with a finding.
 *
 * @throws {CheckpointLoadError} SAFETENSORS_HEADER, SAFETENSORS_OFFSETS, LIMIT_EXCEEDED
 * @see https://github.com/huggingface/safetensors#format
 */
export function* readHeader(source: ByteSource, strict: boolean, limits: Limits, options?: SignalOptions): Reading<SafetensorsHeader> {
  if (source.size < LENGTH_BYTES) throw malformed(source.name, `needs at least ${LENGTH_BYTES} bytes, but the file has ${source.size}`);
  const prefix = yield* readStep(source, 0, LENGTH_BYTES, options);
  const declared = new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true);
  if (declared > BigInt(source.size - LENGTH_BYTES)) {
    throw malformed(
      source.name,
      `declares ${declared} bytes, but ${source.size - LENGTH_BYTES} follow: the file is cut off or not safetensors`,
      {
        declared: String(declared),
        available: source.size - LENGTH_BYTES,
      },
    );
  }
  const headerBytes = Number(declared);
  checkLimit(limits, "headerBytes", headerBytes, `Header length of ${source.name}`);
  const bytes = yield* readStep(source, LENGTH_BYTES, LENGTH_BYTES + headerBytes, options);
  const text = decodeUtf8(bytes, `The header of ${source.name}`, "SAFETENSORS_HEADER");
  const header = new HeaderChecker(source.name, strict).check(text, limits);
  if (headerBytes % ALIGNMENT !== 0)
    header.tolerate("safetensors-alignment", `has ${headerBytes} bytes, no multiple of ${ALIGNMENT}`, "info");
  const { tensors, metadata, findings } = header;
  checkOffsets(tensors, source.size - LENGTH_BYTES - headerBytes, source.name);
  return { tensors, metadata, findings, dataStart: LENGTH_BYTES + headerBytes };
}

/**
 * What the JSON of a header says, without a look at the data section.
 *
 * @throws {CheckpointLoadError} SAFETENSORS_HEADER, LIMIT_EXCEEDED
 */
export function parseHeader(name: string, text: string, limits: Limits): Pick<SafetensorsHeader, "tensors" | "metadata" | "findings"> {
  return new HeaderChecker(name, false).check(text, limits);
}

/**
 * Text of a header or index. A byte order mark stays, and is refused as JSON.
 *
 * @throws {CheckpointLoadError} with the code given, when the bytes are not UTF-8
 */
export function decodeUtf8(bytes: Bytes, what: string, code: ErrorCode): string {
  // TextDecoder refuses views of shared memory.
  const own = bytes.buffer instanceof ArrayBuffer ? bytes : bytes.slice();
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(own);
  } catch (cause) {
    throw new CheckpointLoadError(code, `${what} is not valid UTF-8.`, { cause });
  }
}

const FIELDS = new Set(["dtype", "shape", "data_offsets"]);
/** Findings of one header that are listed one by one. */
const FINDINGS_LISTED = 100;

class HeaderChecker {
  readonly tensors: HeaderTensor[] = [];
  readonly metadata = new Map<string, string>();
  readonly findings: Finding[] = [];
  readonly #name: string;
  readonly #strict: boolean;

  constructor(name: string, strict: boolean) {
    this.#name = name;
    this.#strict = strict;
  }

  /** Notes what the page forbids and the reference implementation accepts; refuses it when strict. */
  tolerate(rule: string, message: string, severity: Finding["severity"] = "warning"): void {
    if (this.#strict) throw this.#malformed(message);
    if (this.findings.length < FINDINGS_LISTED) this.findings.push({ rule, severity, message: `The header ${message}.` });
  }

  check(text: string, limits: Limits): this {
    const json = parseStrictJson(text, `The header of ${this.#name}`, "SAFETENSORS_HEADER");
    const root = json.value;
    if (!(root instanceof Map)) throw this.#malformed("is not a JSON object");
    if (!text.startsWith("{")) this.tolerate("safetensors-leading-space", "begins with white space");
    if (/[\t\n\r] *$/.test(text)) this.tolerate("safetensors-padding", "is padded with other characters than spaces");
    const tensors = new Set<StrictJson>(root.values());
    for (const { parent, replaced } of json.duplicates) if (parent === root) tensors.add(replaced);
    tensors.delete(root.get("__metadata__") ?? null);
    for (const { parent, key, replaced } of json.duplicates) {
      const isField = parent === root ? key === "__metadata__" : FIELDS.has(key) && tensors.has(parent);
      if (isField) throw this.#malformed(`has the field ${quoted(key)} twice`);
      if (parent === root) this.#tensor(key, replaced, json);
      this.tolerate("safetensors-duplicate-key", `has the key ${quoted(key)} twice; the last one counts`);
    }
    this.#readMetadata(root.get("__metadata__"));
    root.delete("__metadata__");
    checkLimit(limits, "tensors", root.size, `Tensors in ${this.#name}`);
    for (const [key, entry] of root) this.tensors.push(this.#tensor(key, entry, json));
    return this;
  }

  #malformed(why: string): CheckpointLoadError {
    return malformed(this.#name, why);
  }

  #readMetadata(value: StrictJson | undefined): void {
    if (value === undefined || value === null) return;
    if (!(value instanceof Map)) throw this.#malformed("has a __metadata__ that is not an object");
    for (const [key, entry] of value) {
      if (typeof entry !== "string") throw this.#malformed(`has a __metadata__ entry ${quoted(key)} that is not a string`);
      this.metadata.set(key, entry);
    }
  }

  #tensor(name: string, entry: StrictJson, json: StrictJsonResult): HeaderTensor {
    const label = `tensor ${quoted(name)}`;
    if (!(entry instanceof Map)) throw this.#malformed(`gives ${label} no object`);
    const dtype = entry.get("dtype");
    if (typeof dtype !== "string") throw this.#malformed(`gives ${label} no dtype`);
    if (!SAFETENSORS_DTYPES.has(dtype) || !isDType(dtype)) {
      throw this.#malformed(`gives ${label} the unknown dtype ${quoted(dtype)}`);
    }
    const integers = (field: string): number[] => {
      const list = entry.get(field);
      if (!Array.isArray(list)) throw this.#malformed(`gives ${label} no list "${field}"`);
      const exact = list.filter((item): item is number => typeof item === "number" && item >= 0 && !Object.is(item, -0));
      if (exact.length === list.length && !json.inexact.has(list)) return exact;
      throw this.#malformed(`gives ${label} a "${field}" with other entries than integers from 0 to 2^53 - 1`);
    };
    const shape = integers("shape");
    const [begin, end, ...rest] = integers("data_offsets");
    if (begin === undefined || end === undefined || rest.length > 0) {
      throw this.#malformed(`gives ${label} data_offsets that are not two numbers`);
    }
    for (const field of entry.keys()) {
      if (!FIELDS.has(field)) this.tolerate("safetensors-unknown-field", `has an unknown field ${quoted(field)} in ${label}`);
    }
    return { name, dtype, shape, begin, end };
  }
}
