import type { Bytes, Limits, SignalOptions } from "@ckptkit/core";
import { openEnvelope } from "./envelope.js";
import type { Fields } from "./fields.js";
import { readFileTable } from "./file-table.js";
import type { NodePlace } from "./manifest.js";

/** Where a value is: in a file, or in the node itself. */
export type ValuePlace = { readonly file: string; readonly offset: number; readonly length: number } | { readonly bytes: Bytes };

/** A node of the tree. Keys are one character a byte, in their order, and without what all keys below the node's parent begin with. */
export type BtreeNode =
  | { readonly kind: "leaf"; readonly keys: readonly string[]; readonly values: readonly ValuePlace[] }
  /** `prefixes` are how many characters of a key all keys in the node below begin with, and leave out. */
  | {
      readonly kind: "interior";
      readonly keys: readonly string[];
      readonly prefixes: readonly number[];
      readonly nodes: readonly NodePlace[];
    };

/** Entries of a node, and bytes of a key. @see https://github.com/google/tensorstore tensorstore/kvstore/ocdbt/format/btree_codec.h */
const MOST_ENTRIES = 1024 * 1024;
const MOST_KEY_BYTES = 65_535;

/**
 * Reads a node.
 *
 * @throws {CheckpointLoadError} OCDBT_CORRUPT, COMPRESSION_CORRUPT
 * @see https://google.github.io/tensorstore/kvstore/ocdbt/index.html#b-tree-node-format
 */
export async function readNode(bytes: Bytes, place: NodePlace, name: string, limits: Limits, options?: SignalOptions): Promise<BtreeNode> {
  const fields = await openEnvelope(bytes, "node", name, limits, options);
  const height = fields.u8();
  if (height !== place.height) fields.bad(`it is at height ${height}, where ${place.height} is expected`);
  const files = readFileTable(fields, place.file.base);
  const count = fields.count();
  if (count === 0 || count > MOST_ENTRIES) fields.bad(`it has ${count} entries`);
  const { keys, prefixes } = readKeys(fields, count, height > 0);
  const fileAt = (index: number): (typeof files)[number] => files[index] ?? fields.bad("it refers to a file that it does not name");
  if (height > 0) {
    const indexes = fields.sizes(count);
    const offsets = fields.sizes(count);
    const lengths = fields.sizes(count);
    const nodes = indexes.map((index, at) => ({
      file: fileAt(index),
      offset: offsets[at] ?? 0,
      length: lengths[at] ?? 0,
      height: height - 1,
    }));
    return { kind: "interior", keys, prefixes, nodes };
  }
  const lengths = fields.sizes(count);
  const isInline = lengths.map(() => {
    const kind = fields.u8();
    if (kind > 1) fields.bad(`a value is of a kind (${kind}) that is not known here`);
    return kind === 0;
  });
  const outside = isInline.filter((inside) => !inside).length;
  const indexes = fields.sizes(outside);
  const offsets = fields.sizes(outside);
  let at = 0;
  const values = lengths.map((length, index): ValuePlace => {
    if (isInline[index]) return { bytes: fields.bytes(length) };
    at++;
    return { file: fileAt(indexes[at - 1] ?? 0).path, offset: offsets[at - 1] ?? 0, length };
  });
  return { kind: "leaf", keys, values };
}

/** Keys that are stored by what they have in common with the one before. */
function readKeys(fields: Fields, count: number, isInterior: boolean): { keys: string[]; prefixes: number[] } {
  const shared = [0, ...fields.sizes(count - 1)];
  const rest = fields.sizes(count);
  const prefixes = isInterior ? fields.sizes(count) : [];
  let before = "";
  let total = 0;
  const keys = rest.map((length, index) => {
    const common = shared[index] ?? 0;
    total += common + length;
    if (common > before.length || common + length > MOST_KEY_BYTES || total > MOST_ENTRIES * 256) fields.bad("a key makes no sense");
    const key = before.slice(0, common) + fields.text(length);
    if (index > 0 && key <= before) fields.bad("its keys are not in their order");
    before = key;
    return key;
  });
  if (prefixes.some((prefix, index) => prefix > (keys[index]?.length ?? 0)))
    fields.bad("a key is shorter than what is common to those below it");
  return { keys, prefixes };
}
