import {
  type ByteSource,
  type Bytes,
  CheckpointError,
  CheckpointLoadError,
  type Finding,
  type Limits,
  type OperationOptions,
} from "@ckptkit/core";
import { decodeUtf8, LENGTH_BYTES } from "../safetensors/header.js";
import { parseStrictJson } from "../safetensors/strict-json.js";

/** The header of a damaged file. */
export interface FoundHeader {
  /** The JSON, with its padding. */
  readonly bytes: Bytes;
  readonly dataStart: number;
  readonly findings: readonly Finding[];
}

const PIECE_BYTES = 256 * 1024;
const [SPACE, QUOTE, BACKSLASH, OPEN, CLOSE] = [0x20, 0x22, 0x5c, 0x7b, 0x7d];

/**
 * The header of a safetensors file: as long as the length field says, or where that cannot be, as long as its JSON. Where the data
 * begins is never guessed: a header of unknown length may be padded.
 *
 * @throws {CheckpointLoadError} NOTHING_SAVED
 */
export async function findHeader(source: ByteSource, limits: Limits, options: OperationOptions): Promise<FoundHeader> {
  const nothing = (why: string): CheckpointLoadError =>
    new CheckpointLoadError("NOTHING_SAVED", `Nothing of ${source.name} could be saved: ${why}.`, {
      details: { size: source.size },
      suggestions: ["Fetch the file again, or look for an older checkpoint."],
    });
  const prefix = await source.read(0, Math.min(LENGTH_BYTES, source.size), options);
  if (prefix.length < LENGTH_BYTES) throw nothing(`it has ${source.size} bytes, not even the length of a header`);
  const declared = new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true);
  const isBelievable = declared > 0n && declared <= BigInt(Math.min(limits.headerBytes, source.size - LENGTH_BYTES));
  const dataStartDeclared = isBelievable ? LENGTH_BYTES + Number(declared) : undefined;
  const jsonEnd = await endOfJson(source, limits, options);
  if (jsonEnd === undefined || !isJson(await source.read(LENGTH_BYTES, jsonEnd, options))) {
    if (dataStartDeclared === undefined) throw nothing("it ends within its header, or length and JSON of its header are both damaged");
    const bytes = await source.read(LENGTH_BYTES, dataStartDeclared, options);
    if (dataStartDeclared + (dataBytesOf(bytes) ?? 0) === source.size || endsLikeHeader(bytes)) {
      return { bytes, dataStart: dataStartDeclared, findings: [] };
    }
    throw nothing("length and JSON of its header are both damaged, so that where its data begins cannot be told for certain");
  }
  if (dataStartDeclared !== undefined && jsonEnd <= dataStartDeclared && (await isSpace(source, jsonEnd, dataStartDeclared, options))) {
    return { bytes: await source.read(LENGTH_BYTES, dataStartDeclared, options), dataStart: dataStartDeclared, findings: [] };
  }
  const bytes = await source.read(LENGTH_BYTES, jsonEnd, options);
  const dataStart = await dataStartBehind(source, bytes, jsonEnd, options);
  if (dataStart === undefined) throw nothing("the length of its header is damaged, and where its data begins cannot be told for certain");
  const message = `The length of the header, ${declared}, is damaged: its JSON and the size of the file say ${dataStart - LENGTH_BYTES}.`;
  return { bytes, dataStart, findings: [{ rule: "safetensors-length-damaged", severity: "warning", message }] };
}

function isJson(bytes: Bytes): boolean {
  try {
    parseStrictJson(decodeUtf8(bytes, "It", "SAFETENSORS_HEADER"), "It", "SAFETENSORS_HEADER");
    return true;
  } catch (error) {
    if (error instanceof CheckpointError) return false;
    throw error;
  }
}

/** Whether bytes end as the JSON of every header with tensors does: the bracket of its last entry and its own, and spaces. */
const endsLikeHeader = (bytes: Bytes): boolean => /\}\s*\} {0,63}$/.test(String.fromCharCode(...bytes.subarray(-128)));

/** Where the JSON object ends that begins behind the length, by its brackets; undefined when it does not end within the limit. */
async function endOfJson(source: ByteSource, limits: Limits, options: OperationOptions): Promise<number | undefined> {
  const most = Math.min(source.size, LENGTH_BYTES + limits.headerBytes);
  let depth = 0;
  let isText = false;
  let isEscaped = false;
  for (let at = LENGTH_BYTES; at < most; at += PIECE_BYTES) {
    options.signal?.throwIfAborted();
    const bytes = await source.read(at, Math.min(most, at + PIECE_BYTES), options);
    for (let index = 0; index < bytes.length; index++) {
      const byte = bytes[index];
      if (isEscaped) isEscaped = false;
      else if (byte === QUOTE) isText = !isText;
      else if (isText) isEscaped = byte === BACKSLASH;
      else if (byte === OPEN) depth++;
      else if (byte === CLOSE && --depth <= 0) return at + index + 1;
    }
  }
  return undefined;
}

async function isSpace(source: ByteSource, start: number, end: number, options: OperationOptions): Promise<boolean> {
  return (await source.read(start, end, options)).every((byte) => byte === SPACE);
}

/**
 * Where the data begins behind a header of unknown length: right behind its JSON, when no padding follows it; else where the tensors
 * fill the rest of the file, when padding reaches until there.
 */
async function dataStartBehind(source: ByteSource, json: Bytes, jsonEnd: number, options: OperationOptions): Promise<number | undefined> {
  const needed = dataBytesOf(json);
  if (needed === undefined) return undefined;
  const start = source.size - needed;
  const isWhole = start >= jsonEnd && start - jsonEnd <= PIECE_BYTES && (await isSpace(source, jsonEnd, start, options));
  if (isWhole) return start;
  if (jsonEnd === source.size) return undefined;
  const [next] = await source.read(jsonEnd, jsonEnd + 1, options);
  return next === SPACE ? undefined : jsonEnd;
}

/** Bytes of all tensors together: the largest end of any. */
function dataBytesOf(json: Bytes): number | undefined {
  const text = new TextDecoder().decode(json.slice());
  const ends = [...text.matchAll(/"data_offsets"\s*:\s*\[\s*\d+\s*,\s*(\d{1,15})\s*\]/g)].map(([, end]) => Number(end));
  return ends.length === 0 ? undefined : ends.reduce((most, end) => Math.max(most, end), 0);
}
