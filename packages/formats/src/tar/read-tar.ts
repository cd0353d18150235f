import {
  type ByteSource,
  type Bytes,
  CheckpointLoadError,
  checkLimit,
  type Limits,
  type Reading,
  readStep,
  type SignalOptions,
  sliceSource,
} from "@ckptkit/core";
import { quoted } from "../quoted.js";
import { BLOCK_BYTES, checksumHolds, numberOf, textOf } from "./header-checksum.js";

/** Extended headers hold a path and a few attributes. */
const MOST_EXTENSION_BYTES = 1024 * 1024;

/** A file in a tar archive. */
export interface TarMember {
  readonly name: string;
  /** Where its bytes begin. */
  readonly start: number;
  readonly byteLength: number;
}

/** What a header says. */
interface TarHeader {
  name: string;
  size: number;
  /** `0` or NUL: a file; `L`: the name of the next one; `x`: attributes of the next one. */
  type: string;
}

/**
 * Lists the files of a tar archive (v7, ustar, GNU and pax). Reads the headers only, one after the other, as nothing else tells
 * where they are.
 *
 * @throws {CheckpointLoadError} TAR_CORRUPT, LIMIT_EXCEEDED
 * @see https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html (ustar and pax interchange formats)
 */
export function* readTar(source: ByteSource, limits: Limits, options?: SignalOptions): Reading<Map<string, TarMember>> {
  const members = new Map<string, TarMember>();
  const { name: archive, size } = source;
  let renamed: string | undefined;
  let resized: number | undefined;
  for (let at = 0, count = 1; at + BLOCK_BYTES <= size; count++) {
    checkLimit(limits, "files", count, `Members of ${archive}`);
    const block = yield* readStep(source, at, at + BLOCK_BYTES, options);
    if (block.every((byte) => byte === 0)) return members; // the end
    const header = parseHeader(block, archive, at);
    const isExtension = "Lxg".includes(header.type) && header.type !== "";
    const bytes = (isExtension ? undefined : resized) ?? header.size;
    const start = at + BLOCK_BYTES;
    const end = start + bytes;
    if (!Number.isSafeInteger(end) || end > size) {
      throw tarError(archive, `its member ${quoted(renamed ?? header.name)} should end at ${end}, but it has ${size} bytes`);
    }
    if (isExtension) {
      if (bytes > MOST_EXTENSION_BYTES) throw tarError(archive, `an extended header at byte ${at} has ${bytes} bytes`);
      const content = yield* readStep(source, start, end, options);
      if (header.type === "L") renamed = textOf(content);
      if (header.type === "x") {
        const attributes = paxAttributes(content);
        renamed = attributes.get("path") ?? renamed;
        resized = sizeOf(attributes.get("size"));
      }
    } else {
      const name = (renamed ?? header.name).replace(/^\.\//, "");
      [renamed, resized] = [undefined, undefined];
      if (header.type === "0" || header.type === "") {
        if (members.has(name)) throw tarError(archive, `it has two members named ${quoted(name)}`);
        members.set(name, { name, start, byteLength: bytes });
      }
    }
    at = start + Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;
  }
  return members;
}

/** The bytes of a member. */
export const tarMember = (source: ByteSource, { name, start, byteLength }: TarMember): ByteSource =>
  sliceSource(source, start, start + byteLength, `${source.name}#${name}`);

/** The error for an archive whose headers are wrong. */
export const tarError = (name: string, why: string): CheckpointLoadError =>
  new CheckpointLoadError("TAR_CORRUPT", `The tar archive ${name} is damaged: ${why}.`, {
    suggestions: ["Fetch the file again, or compare its size with the original's."],
  });

function parseHeader(block: Bytes, archive: string, at: number): TarHeader {
  if (!checksumHolds(block)) throw tarError(archive, `the header at byte ${at} does not have the checksum that it gives`);
  const isUstar = textOf(block.subarray(257, 262)) === "ustar";
  // POSIX headers have a first part of the name; in GNU's, times stand there.
  const prefix = isUstar && block[262] === 0 ? textOf(block.subarray(345, 500)) : "";
  const name = textOf(block.subarray(0, 100));
  const size = numberOf(block.subarray(124, 136));
  if (size === undefined) throw tarError(archive, `the header at byte ${at} gives no size`);
  return { name: prefix === "" ? name : `${prefix}/${name}`, size, type: textOf(block.subarray(156, 157)) };
}

/** Lines of "length key=value". */
function paxAttributes(content: Bytes): Map<string, string> {
  const attributes = new Map<string, string>();
  for (const [, key, value] of new TextDecoder().decode(content.slice()).matchAll(/^\d+ ([^=\n]+)=(.*)$/gm)) {
    if (key !== undefined && value !== undefined) attributes.set(key, value);
  }
  return attributes;
}

const sizeOf = (text: string | undefined): number | undefined => (text !== undefined && /^\d{1,16}$/.test(text) ? Number(text) : undefined);
