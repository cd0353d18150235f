import type { Fields } from "./fields.js";

/** A data file that entries refer to. */
export interface DataFile {
  /** Path from the folder of the database. */
  readonly path: string;
  /** What stands before the paths that a node in this file gives. */
  readonly base: string;
}

/** Characters of a path. @see https://google.github.io/tensorstore/kvstore/ocdbt/index.html#data-file-table-format */
const MOST_PATH_LENGTH = 65_535;

/**
 * Reads the table of files that a manifest or node refers to.
 *
 * @param transitive what stands before all paths.
 * @throws {CheckpointLoadError} OCDBT_CORRUPT
 */
export function readFileTable(fields: Fields, transitive: string): DataFile[] {
  const count = fields.count();
  if (count === 0) return [];
  const prefixes = [0, ...fields.sizes(count - 1)];
  const suffixes = fields.sizes(count);
  const bases = fields.sizes(count);
  let before = "";
  return suffixes.map((suffix, index) => {
    const prefix = prefixes[index] ?? 0;
    const base = bases[index] ?? 0;
    if (prefix > before.length || transitive.length + prefix + suffix > MOST_PATH_LENGTH || base > prefix + suffix)
      fields.bad("the path of a file makes no sense");
    before = before.slice(0, prefix) + fields.text(suffix);
    return { path: utf8(transitive + before), base: transitive + before.slice(0, base) };
  });
}

/** Text of what was read as one character a byte. */
export const utf8 = (text: string): string => new TextDecoder().decode(Uint8Array.from(text, (character) => character.charCodeAt(0)));

/** One character for each byte of a text in UTF-8. */
export const byteText = (text: string): string => Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join("");
