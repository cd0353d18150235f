import { type ByteSource, checkLimit, finish, type Json, type Limits } from "@ckptkit/core";
import type { FileEdit } from "../edit/file-edit.js";
import { type JsonMember, objectText, readJsonText } from "../edit/json-text.js";
import { changedMembers, type MetadataEdit, type MetadataOptions, type MetadataPlace } from "../edit/metadata-place.js";
import { decodeUtf8, LENGTH_BYTES, readHeader } from "./header.js";
import { metadataToJson } from "./reader.js";

const KEY = "__metadata__";
/** A header that is written anew ends at a multiple of this: room for later changes, and data at the start of a page. */
const PAGE_BYTES = 4096;
const SPACE = 0x20;

/**
 * The `__metadata__` of a safetensors file. A changed header must fit into the bytes that the header has: what is over is filled with spaces, as the format
 * allows. Entries of tensors stay as they are written.
 *
 * @throws {CheckpointLoadError} SAFETENSORS_HEADER, SAFETENSORS_OFFSETS, LIMIT_EXCEEDED
 * @see https://github.com/huggingface/safetensors#format
 */
export async function safetensorsMetadataPlace(source: ByteSource, limits: Limits, options: MetadataOptions = {}): Promise<MetadataPlace> {
  const { metadata, dataStart } = await finish(readHeader(source, false, limits, options));
  const text = decodeUtf8(await source.read(LENGTH_BYTES, dataStart, options), `The header of ${source.name}`, "SAFETENSORS_HEADER");
  const { members } = readJsonText(text, `The header of ${source.name}`, "SAFETENSORS_HEADER", limits);
  const before: JsonMember[] = [...metadata].map(([key, value]) => ({ key, raw: JSON.stringify(value) }));
  return {
    format: "safetensors",
    place: KEY,
    exists: members.some(({ key }) => key === KEY),
    metadata: metadataToJson(metadata),
    async edit({ set, remove }) {
      const texts = new Map([...set].map(([key, value]) => [key, textOf(value)] as const));
      const after = changedMembers(before, { set: texts, remove });
      const header = headerOf(members, after);
      return editOf(source, dataStart, header, after, limits);
    },
  };
}

/** Values are strings in this format; others are kept as their JSON. */
const textOf = (value: Json): string => (typeof value === "string" ? value : JSON.stringify(value));

/** The header's JSON with other metadata: in the place of the former, or first. */
function headerOf(members: readonly JsonMember[], metadata: readonly JsonMember[]): Uint8Array {
  const entry = { key: KEY, raw: objectText(metadata, true) };
  const isThere = members.some(({ key }) => key === KEY);
  const entries = isThere ? members.map((member) => (member.key === KEY ? entry : member)) : [entry, ...members];
  const kept = metadata.length > 0 ? entries : entries.filter(({ key }) => key !== KEY);
  return new TextEncoder().encode(objectText(kept, true));
}

function editOf(source: ByteSource, dataStart: number, json: Uint8Array, after: readonly JsonMember[], limits: Limits): MetadataEdit {
  const room = dataStart - LENGTH_BYTES;
  const missingBytes = Math.max(0, json.length - room);
  const data = { start: dataStart, end: source.size };
  const filled = (headerBytes: number): Uint8Array => {
    const bytes = new Uint8Array(headerBytes).fill(SPACE);
    bytes.set(json.subarray(0, headerBytes));
    return bytes;
  };
  const fresh = Math.ceil((LENGTH_BYTES + json.length) / PAGE_BYTES) * PAGE_BYTES - LENGTH_BYTES;
  checkLimit(limits, "headerBytes", fresh, `The new header of ${source.name}`);
  const length = new Uint8Array(LENGTH_BYTES);
  new DataView(length.buffer).setBigUint64(0, BigInt(fresh), true);
  const inPlace: FileEdit = { parts: [{ start: 0, end: LENGTH_BYTES }, filled(room), data] };
  return {
    metadata: metadataToJson(new Map(after.map(({ key, raw }) => [key, JSON.parse(raw) as string]))), // written from a string
    inPlace,
    ...(missingBytes > 0 && {
      missingBytes,
      obstacle: `Its header would have ${json.length} bytes of JSON, and has room for ${room}: ${missingBytes} too many.`,
    }),
    rewritten: { parts: [length, filled(fresh), data] },
  };
}
