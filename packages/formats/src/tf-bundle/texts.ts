import {
  type ByteSource,
  type Bytes,
  CheckpointError,
  type Finding,
  type Limits,
  type Reading,
  readStep,
  type SignalOptions,
  type Tree,
} from "@ckptkit/core";
import { quoted } from "../quoted.js";
import { CRC_RULE } from "../zip/crc-rule.js";
import { STRING_TYPE } from "./data-types.js";
import type { BundleEntry } from "./entries.js";
import { OBJECT_GRAPH, objectGraphTree, readObjectGraph, type TrackedObject } from "./object-graph.js";
import { readStrings } from "./strings.js";

/** Bytes of one text, and of all together, that are read when a checkpoint is opened. The graph of objects is read whatever its size. */
const TEXT_BYTES = 1024 * 1024;
const ALL_TEXT_BYTES = 16 * 1024 * 1024;

/** Values that are text. */
export interface BundleTexts {
  /** By entry, as parts of the tree. */
  readonly trees: ReadonlyMap<BundleEntry, Tree>;
  /** The objects that were saved; undefined where the checkpoint is of variables by their names. */
  readonly objects: readonly TrackedObject[] | undefined;
}

/**
 * Reads the values that are text. One that cannot be read is a finding.
 *
 * @throws {CheckpointLoadError} LIMIT_EXCEEDED
 */
export function* readTexts(
  entries: readonly BundleEntry[],
  bytesOf: (entry: BundleEntry) => ByteSource,
  file: string,
  limits: Limits,
  findings: Finding[],
  options: SignalOptions,
): Reading<BundleTexts> {
  const trees = new Map<BundleEntry, Tree>();
  let objects: readonly TrackedObject[] | undefined;
  let left = ALL_TEXT_BYTES;
  for (const entry of entries) {
    const isGraph = entry.name === OBJECT_GRAPH && entry.shape.length === 0;
    if (entry.dtype !== STRING_TYPE || entry.slices.length > 0) continue;
    if (entry.size > (isGraph ? limits.headerBytes : Math.min(TEXT_BYTES, left))) continue;
    if (!isGraph) left -= entry.size;
    const source = bytesOf(entry);
    const values = readStrings(yield* readStep(source, 0, source.size, options), entry);
    if (typeof values === "string") {
      const message =
        values === "crc"
          ? `The text ${quoted(entry.name)} does not have the CRC-32C that is recorded for it: it is damaged.`
          : `The text ${quoted(entry.name)} cannot be read: its lengths make no sense.`;
      findings.push({ rule: values === "crc" ? CRC_RULE : "tf-tensor", severity: "error", message, at: entry.name });
      continue;
    }
    const [first] = values;
    if (!isGraph || !first) {
      trees.set(entry, textTree(values, entry));
      continue;
    }
    try {
      objects = readObjectGraph(first, file, limits);
      trees.set(entry, objectGraphTree(objects));
    } catch (error) {
      if (!(error instanceof CheckpointError) || error.code === "LIMIT_EXCEEDED") throw error;
      findings.push({ rule: "tf-object-graph", severity: "error", message: error.message, at: entry.name });
    }
  }
  return { trees, objects };
}

/** Text where it is some, else bytes. */
function textTree(values: readonly Bytes[], { shape }: BundleEntry): Tree {
  const items = values.map((value): Tree => {
    const bytes = Uint8Array.from(value);
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      return bytes;
    }
  });
  if (shape.length === 0) return items[0] ?? null;
  const list: Tree = { kind: "list", type: "list", items };
  if (shape.length === 1) return list;
  return {
    kind: "object",
    type: "tensorflow.Tensor",
    attributes: {
      kind: "map",
      type: "dict",
      entries: [
        ["shape", { kind: "list", type: "list", items: [...shape] }],
        ["values", list],
      ],
    },
  };
}
