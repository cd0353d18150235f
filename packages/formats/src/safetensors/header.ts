import {
  type ByteSource,
  CheckpointLoadError,
  checkLimit,
  countElements,
  DTYPES,
  type DType,
  type Finding,
  isDType,
  type Limits,
  type SignalOptions,
} from "@ckptkit/core";
import { parseStrictJson, type StrictJson } from "./strict-json.js";

/** Bytes of the header's length field (format, "8 bytes: N, an unsigned little-endian 64-bit integer"). */
export const LENGTH_BYTES = 8;

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

/** One tensor of a header. Offsets are bytes from the start of the data section. */
export interface HeaderTensor {
  name: string;
  dtype: DType;
  shape: number[];
  begin: number;
  end: number;
}

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
export async function readHeader(source: ByteSource, strict: boolean, limits: Limits, options?: SignalOptions): Promise<SafetensorsHeader> {
  if (source.size < LENGTH_BYTES) throw malformed(source.name, `needs at least ${LENGTH_BYTES} bytes, but the file has ${source.size}`);
  const prefix = await source.read(0, LENGTH_BYTES, options);
  const declared = new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true);
  if (declared > BigInt(source.size - LENGTH_BYTES)) {
    throw malformed(
      source.name,
      `declares a length of ${declared} bytes, but only ${source.size - LENGTH_BYTES} follow: the file is cut off or not safetensors`,
      {
        declared: String(declared),
        available: source.size - LENGTH_BYTES,
      },
    );
  }
  const headerBytes = Number(declared);
  checkLimit(limits, "headerBytes", headerBytes, `Header length of ${source.name}`);
  const bytes = await source.read(LENGTH_BYTES, LENGTH_BYTES + headerBytes, options);
  return checkHeader(decode(bytes, source.name), source.name, LENGTH_BYTES + headerBytes, source.size, strict, limits);
}

function decode(bytes: Uint8Array, name: string): string {
  try {
    // Copied: TextDecoder refuses views of shared memory. A byte order mark stays, and is refused as JSON.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes.slice());
  } catch (cause) {
    throw new CheckpointLoadError("SAFETENSORS_HEADER", `The header of ${name} is not valid UTF-8.`, { cause });
  }
}

function checkHeader(text: string, name: string, dataStart: number, size: number, strict: boolean, limits: Limits): SafetensorsHeader {
  const findings: Finding[] = [];
  const tolerate = (rule: string, message: string): void => {
    if (strict) throw malformed(name, message);
    findings.push({ rule, severity: "warning", message: `The header ${message}.` });
  };
  const { value, duplicates, fractions } = parseStrictJson(text, `The header of ${name}`);
  if (!(value instanceof Map)) throw malformed(name, "is not a JSON object");
  if (!text.startsWith("{")) tolerate("safetensors-leading-space", "begins with white space, where the format demands '{'");
  if (/[\t\n\r]+$/.test(text)) tolerate("safetensors-padding", "is padded with characters other than the space");
  for (const key of duplicates) tolerate("safetensors-duplicate-key", `has the key ${JSON.stringify(key)} twice; the last one counts`);

  const metadata = readMetadata(value.get("__metadata__"), name);
  value.delete("__metadata__");
  checkLimit(limits, "tensors", value.size, `Tensors in ${name}`);
  const tensors: HeaderTensor[] = [];
  for (const [key, entry] of value) {
    const { tensor, unknown } = readTensor(key, entry, fractions, name);
    for (const field of unknown)
      tolerate("safetensors-unknown-field", `has an unknown field ${JSON.stringify(field)} in tensor ${JSON.stringify(key)}`);
    tensors.push(tensor);
  }
  checkOffsets(tensors, size - dataStart, name);
  return { tensors, metadata, dataStart, findings };
}

function readMetadata(value: StrictJson | undefined, name: string): Map<string, string> {
  const metadata = new Map<string, string>();
  if (value === undefined || value === null) return metadata;
  if (!(value instanceof Map)) throw malformed(name, "has a __metadata__ that is not an object");
  for (const [key, entry] of value) {
    if (typeof entry !== "string") throw malformed(name, `has a __metadata__ entry ${JSON.stringify(key)} that is not a string`);
    metadata.set(key, entry);
  }
  return metadata;
}

const FIELDS = new Set(["dtype", "shape", "data_offsets"]);

function readTensor(
  key: string,
  entry: StrictJson,
  fractions: ReadonlySet<unknown>,
  name: string,
): { tensor: HeaderTensor; unknown: string[] } {
  const label = `tensor ${JSON.stringify(key)}`;
  if (!(entry instanceof Map)) throw malformed(name, `describes ${label} by something that is not an object`);
  const dtype = entry.get("dtype");
  if (typeof dtype !== "string") throw malformed(name, `gives ${label} no dtype`);
  if (!SAFETENSORS_DTYPES.has(dtype) || !isDType(dtype)) throw malformed(name, `gives ${label} the unknown dtype ${JSON.stringify(dtype)}`);
  const integers = (field: string): number[] => {
    const list = entry.get(field);
    if (!Array.isArray(list)) throw malformed(name, `gives ${label} no list "${field}"`);
    const out: number[] = [];
    for (const item of list) {
      if (typeof item !== "number" || item < 0 || Object.is(item, -0) || fractions.has(list)) {
        throw malformed(name, `gives ${label} a "${field}" with an entry that is not an unsigned integer`);
      }
      out.push(item);
    }
    return out;
  };
  const shape = integers("shape");
  const [begin, end, ...rest] = integers("data_offsets");
  if (begin === undefined || end === undefined || rest.length > 0)
    throw malformed(name, `gives ${label} data_offsets that are not two numbers`);
  return { tensor: { name: key, dtype, shape, begin, end }, unknown: [...entry.keys()].filter((field) => !FIELDS.has(field)) };
}

/** Tensors must fill the data section: the first at 0, no gap, no overlap, the last at the end of the file. */
function checkOffsets(tensors: readonly HeaderTensor[], dataBytes: number, name: string): void {
  const wrong = (message: string, details: Record<string, unknown>, suggestions: string[] = []): CheckpointLoadError =>
    new CheckpointLoadError("SAFETENSORS_OFFSETS", message, { details, suggestions });
  let at = 0;
  for (const tensor of [...tensors].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    const label = `Tensor ${JSON.stringify(tensor.name)} of ${name}`;
    const bits = countElements(tensor.shape) * DTYPES[tensor.dtype].bits;
    if (!Number.isSafeInteger(bits) || bits % 8 !== 0 || tensor.end - tensor.begin !== bits / 8) {
      throw wrong(
        `${label} spans [${tensor.begin}, ${tensor.end}), but ${tensor.dtype} of shape [${tensor.shape.join(", ")}] needs ${bits / 8} bytes.`,
        {
          tensor: tensor.name,
          expected: bits / 8,
          found: tensor.end - tensor.begin,
        },
      );
    }
    if (tensor.begin !== at) {
      const what = tensor.begin < at ? "overlaps the tensor before it" : "leaves a hole before it";
      throw wrong(`${label} begins at ${tensor.begin} of the data, where ${at} was expected: it ${what}.`, {
        tensor: tensor.name,
        expected: at,
        found: tensor.begin,
      });
    }
    at = tensor.end;
  }
  if (at > dataBytes) {
    const missing = tensors.filter((tensor) => tensor.end > dataBytes).length;
    throw wrong(
      `${name} is cut off: its tensors need ${at} bytes of data, but ${dataBytes} follow the header. ${missing} of ${tensors.length} tensors are incomplete.`,
      { expected: at, found: dataBytes, incompleteTensors: missing },
      ["Fetch the file again; the download may have stopped early."],
    );
  }
  if (at < dataBytes) {
    throw wrong(
      `${name} has ${dataBytes - at} bytes after the last tensor, which no tensor accounts for.`,
      { expected: at, found: dataBytes },
      ["Something was appended to the file, or its header belongs to another file."],
    );
  }
}
