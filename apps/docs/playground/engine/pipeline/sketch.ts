import { STAGE_KINDS, type StageKind } from "@ckptkit/core/pipeline";
import { isMap, isPair, isScalar, isSeq, type Node, parseDocument } from "yaml";
import { notHere } from "./page-limits.js";

/** A stage as its text stands there, whether or not it is right. */
export interface StageSketch {
  readonly kind: StageKind | undefined;
  /** Its name in the text; empty where there is none yet. */
  readonly name: string;
  /** What tells it from others of its name: a path, a dtype, a name. */
  readonly about: string;
  /** Where it begins in the text. */
  readonly from: number;
}

/** A note at a place of the text. */
export interface TextNote {
  readonly from: number;
  readonly to: number;
  readonly message: string;
}

/** Options that say most of a stage, the most telling first. */
const TELLING = ["as", "uri", "url", "path", "adapter", "like", "dtype", "from", "algorithm", "amount", "submodulesToFreeze"];

/**
 * The stages of a text, as far as it can be read, and what of it a page cannot do.
 *
 * @param fill puts values in place of variables, for what is shown.
 */
export function sketchOf(text: string, fill: (text: string) => string = (same) => same): { stages: StageSketch[]; limits: TextNote[] } {
  const document = parseDocument(text, { prettyErrors: false, strict: false, uniqueKeys: false, logLevel: "silent" });
  const limits: TextNote[] = [];
  const note = (node: unknown, message: string | undefined): void => {
    const range = message === undefined || !isScalar(node) ? undefined : node.range;
    if (range && message !== undefined) limits.push({ from: range[0], to: range[1], message });
  };
  const root = document.contents;
  if (!isMap(root)) return { stages: [], limits };
  for (const { key } of root.items) note(key, isScalar(key) ? notHere({ option: String(key.value) }) : undefined);
  const list = root.get("stages", true);
  if (!isSeq(list)) return { stages: [], limits };
  const stages = list.items.map((item): StageSketch => {
    const node = item as Node; // parsed documents hold nodes
    const from = node.range?.[0] ?? 0;
    if (!isMap(node)) return { kind: undefined, name: isScalar(node) ? String(node.value ?? "") : "", about: "", from };
    const entries = new Map<string, string>();
    let kind: StageKind | undefined;
    for (const pair of node.items) {
      if (!isPair(pair) || !isScalar(pair.key)) continue;
      const key = String(pair.key.value);
      const value = isScalar(pair.value) ? String(pair.value.value ?? "") : String(pair.value ?? "");
      entries.set(key, value);
      const own = STAGE_KINDS.find((candidate) => candidate === key);
      kind ??= own;
      note(own ? pair.value : pair.key, own ? notHere({ kind: own, name: value }) : notHere({ option: key }));
    }
    const name = (kind ? entries.get(kind) : entries.get("_target_")) ?? "";
    const about = TELLING.map((option) => entries.get(option)).find((value) => value !== undefined && value !== "") ?? "";
    return { kind, name, about: fill(about), from };
  });
  return { stages, limits };
}
