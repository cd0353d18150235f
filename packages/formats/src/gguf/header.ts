import {
  type ByteSource,
  CheckpointLoadError,
  checkLimit,
  countElements,
  type Finding,
  type Limits,
  type Reading,
  type SignalOptions,
} from "@ckptkit/core";
import { quoted } from "../quoted.js";
import { Cursor, ggufError } from "./cursor.js";
import { GGML_TYPES, type GgmlType } from "./types.js";
import { type GgufValue, ValueReader } from "./values.js";

/** The versions that there are. */
const VERSIONS = [1, 2, 3];
/** GGML_MAX_DIMS. @see https://github.com/ggml-org/ggml/blob/master/include/ggml.h */
export const MOST_AXES = 4;
/** What is aligned to when the metadata does not say. */
export const USUAL_ALIGNMENT = 32;

/** One tensor as the description has it. */
export interface GgufTensor {
  readonly name: string;
  readonly type: GgmlType;
  /** Row-major: the file's own order turned round. */
  readonly shape: number[];
  /** Bytes from the start of the data. */
  readonly offset: number;
  readonly byteLength: number;
}

/** A description that was read. */
export interface GgufHeader {
  readonly version: number;
  readonly bigEndian: boolean;
  readonly metadata: Map<string, GgufValue>;
  /** In the order of the description. */
  readonly tensors: GgufTensor[];
  readonly alignment: number;
  /** Where the data begins in the file. */
  readonly dataStart: number;
  readonly findings: Finding[];
}

/**
 * Reads the description of a GGUF file: version, metadata, and what the tensors are.
 *
 * @throws {CheckpointLoadError} GGUF_CORRUPT, UNSUPPORTED_FORMAT, UNSUPPORTED_DTYPE, LIMIT_EXCEEDED, TENSOR_OUT_OF_BOUNDS
 * @see https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */
export function* readHeader(source: ByteSource, strict: boolean, limits: Limits, options?: SignalOptions): Reading<GgufHeader> {
  const findings: Finding[] = [];
  /** Notes what llama.cpp refuses and what can be read all the same; refuses it when strict. */
  const tolerate = (rule: string, message: string, severity: Finding["severity"] = "warning"): void => {
    if (strict) throw ggufError(source.name, message);
    if (findings.length < 100) findings.push({ rule, severity, message: `${message[0]?.toUpperCase()}${message.slice(1)}.` });
  };
  const cursor = new Cursor(source, limits, options);
  yield* cursor.fetch(8, "its version");
  cursor.u32();
  const version = readVersion(cursor);
  const lengthBytes = version === 1 ? 4 : 8;
  const values = new ValueReader(cursor, limits, lengthBytes);
  const tensorCount = yield* values.length("the number of tensors");
  const valueCount = yield* values.length("the number of metadata values");
  checkLimit(limits, "tensors", tensorCount, `Tensors in ${source.name}`);
  checkLimit(limits, "metadataValues", valueCount, `Metadata of ${source.name}`);
  const least = tensorCount * (3 * lengthBytes) + valueCount * (lengthBytes + 5);
  if (least > cursor.left) {
    const declared = `${tensorCount} tensors and ${valueCount} metadata values`;
    throw ggufError(source.name, `it declares ${declared}, and ${cursor.left} bytes follow: it is cut off, or damaged`);
  }
  const metadata = new Map<string, GgufValue>();
  for (let index = 0; index < valueCount; index++) {
    const what = `metadata value ${index + 1} of ${valueCount}`;
    const key = textOf(yield* values.string(what));
    const value = yield* values.value(yield* values.type(what), what);
    if (metadata.has(key)) tolerate("gguf-duplicate-key", `the metadata has ${quoted(key)} twice; the first one counts`);
    else metadata.set(key, value);
  }
  const tensors: GgufTensor[] = [];
  const names = new Set<string>();
  for (let index = 0; index < tensorCount; index++) {
    const what = `the description of tensor ${index + 1} of ${tensorCount}`;
    const name = textOf(yield* values.string(what));
    if (names.has(name)) throw ggufError(source.name, `it has two tensors named ${quoted(name)}`);
    names.add(name);
    if (!cursor.has(4)) yield* cursor.fetch(4, what);
    const axes = cursor.u32();
    if (axes > MOST_AXES) throw ggufError(source.name, `the tensor ${quoted(name)} has ${axes} axes, and ggml knows ${MOST_AXES}`);
    const rest = axes * lengthBytes + 12;
    if (!cursor.has(rest)) yield* cursor.fetch(rest, what);
    const shape: number[] = [];
    for (let axis = 0; axis < axes; axis++) shape.unshift(cursor.size(lengthBytes, `a size of ${quoted(name)}`));
    const typeId = cursor.u32();
    const offset = cursor.size(8, `the offset of ${quoted(name)}`);
    const type = GGML_TYPES.get(typeId);
    if (type) tensors.push({ name, type, shape, offset, byteLength: byteLengthOf(source.name, name, type, shape) });
    else unknownType(source.name, name, typeId, strict, findings);
  }
  const alignment = alignmentOf(source.name, metadata);
  const dataStart = Math.min(source.size, aligned(cursor.position, alignment));
  return { version, bigEndian: cursor.bigEndian, metadata, tensors, alignment, dataStart, findings: [...findings, ...split(metadata)] };
}

/** The version, whose byte order is the file's. @throws {CheckpointLoadError} GGUF_CORRUPT, UNSUPPORTED_FORMAT */
function readVersion(cursor: Cursor): number {
  const little = cursor.u32();
  const swapped = ((little & 0xff) << 24) | ((little & 0xff00) << 8) | ((little >>> 8) & 0xff00) | (little >>> 24);
  cursor.bigEndian = little % 65536 === 0 && little !== 0;
  const version = cursor.bigEndian ? swapped >>> 0 : little;
  if (VERSIONS.includes(version)) return version;
  if (version === 0) throw ggufError(cursor.source.name, "its version is 0");
  throw new CheckpointLoadError("UNSUPPORTED_FORMAT", `${cursor.source.name} is GGUF of version ${version}; 1, 2 and 3 are known here.`, {
    details: { version },
    suggestions: ["If the file is sound, it is newer than this program: look for a newer release."],
  });
}

/** Names that are no UTF-8 keep each byte as one character. */
const textOf = (text: string | Uint8Array): string => (typeof text === "string" ? text : String.fromCharCode(...text.subarray(0, 4096)));

/** @throws {CheckpointLoadError} GGUF_CORRUPT when a row is no whole number of blocks; TENSOR_OUT_OF_BOUNDS */
function byteLengthOf(file: string, name: string, { name: type, elements, bytes }: GgmlType, shape: readonly number[]): number {
  const row = shape.at(-1) ?? 1;
  if (row % elements !== 0) {
    throw ggufError(file, `the tensor ${quoted(name)} has rows of ${row} elements, no whole number of ${type} blocks of ${elements}`);
  }
  const byteLength = (countElements(shape) / elements) * bytes;
  if (!Number.isSafeInteger(byteLength)) throw ggufError(file, `the tensor ${quoted(name)} declares ${byteLength} bytes`);
  return byteLength;
}

function unknownType(file: string, name: string, id: number, strict: boolean, findings: Finding[]): void {
  const message = `The tensor ${quoted(name)} of ${file} has the type ${id}, which ggml did not have when this was written: how many bytes it has is not known.`;
  if (strict) throw new CheckpointLoadError("UNSUPPORTED_DTYPE", message, { details: { tensor: name, type: id } });
  if (findings.length < 100) findings.push({ rule: "gguf-unknown-type", severity: "error", message, at: name });
}

function alignmentOf(file: string, metadata: ReadonlyMap<string, GgufValue>): number {
  const given = metadata.get("general.alignment");
  if (!given) return USUAL_ALIGNMENT;
  const value = given.type === "array" ? undefined : given.value;
  if (typeof value === "number" && value >= 1 && Number.isInteger(Math.log2(value))) return value;
  throw ggufError(file, `its general.alignment is ${String(value)}, no power of two`);
}

/** The next multiple of an alignment. */
export const aligned = (at: number, alignment: number): number => Math.ceil(at / alignment) * alignment;

/** A model that was cut into several files says so in each of them. */
function split(metadata: ReadonlyMap<string, GgufValue>): Finding[] {
  const number = (key: string): number | undefined => {
    const value = metadata.get(key);
    return value && value.type !== "array" && typeof value.value === "number" ? value.value : undefined;
  };
  const count = number("split.count");
  if (count === undefined || count < 2) return [];
  const message = `This is file ${(number("split.no") ?? 0) + 1} of ${count} of a split model: the tensors of the others are not in it.`;
  return [{ rule: "gguf-split", severity: "info", message }];
}
