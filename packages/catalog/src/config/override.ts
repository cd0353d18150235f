import { CheckpointConfigError } from "@ckptkit/core";
import { STAGE_KINDS } from "@ckptkit/core/pipeline";
import { parseDocument } from "yaml";
import { type ConfigNode, type ConfigPath, entryOf, nodeOf } from "./node.js";

/** A value that is set from the command line. */
export interface Override {
  /** As it was written, for messages. */
  readonly text: string;
  readonly path: ConfigPath;
  readonly value: ConfigNode;
}

/**
 * Reads `stages.0.path=model.ckpt`: a path of keys and indices, and a value in YAML. A stage may also be named: `stages.local.path`.
 *
 * @throws {CheckpointConfigError} INVALID_ARGUMENT
 */
export function parseOverride(text: string): Override {
  const cut = text.indexOf("=");
  const path = text
    .slice(0, Math.max(0, cut))
    .replace(/\[(\d+)\]/g, ".$1")
    .split(".")
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step));
  if (cut <= 0 || path.includes("")) {
    throw new CheckpointConfigError("INVALID_ARGUMENT", `${JSON.stringify(text)} sets nothing: key=value was expected.`, {
      details: { override: text },
      suggestions: ["For example: --set stages.0.path=model.ckpt", "Or: --set maxRetries=5"],
    });
  }
  const place = { file: `--set ${text.slice(0, cut)}` };
  return { text, path, value: { ...valueNode(text.slice(cut + 1), text, place), keyPlace: place } };
}

/** Text that may be more than itself in YAML: lists, maps and quotes. Globs and addresses are text, whatever YAML makes of them. */
const IS_YAML = /^[[{"']/;
const IS_ONLY_TEXT = /^[&*!|>%@`]/;

function valueNode(text: string, whole: string, place: { file: string }): ConfigNode {
  const plain: ConfigNode = { place, kind: "scalar", value: text };
  if (IS_ONLY_TEXT.test(text)) return plain;
  const bad = (): CheckpointConfigError =>
    new CheckpointConfigError("INVALID_ARGUMENT", `The value of --set ${whole.slice(0, whole.indexOf("="))} is not valid YAML.`, {
      suggestions: ["Put text that begins with a bracket or a quote in quotes of its own: --set 'stages.0.path=\"[a].ckpt\"'"],
    });
  const document = parseDocument(text, { prettyErrors: false });
  if (document.errors.length > 0) {
    if (IS_YAML.test(text)) throw bad();
    return plain;
  }
  const node = nodeOf(document.toJS({ maxAliasCount: 100 }), place, bad);
  if (node.kind !== "scalar") return IS_YAML.test(text) ? node : plain;
  return node.value === text ? node : { ...node, alternative: text };
}

/**
 * A configuration with one value set. Maps on the way are made where they are missing.
 *
 * @throws {CheckpointConfigError} INVALID_ARGUMENT for a step that leads nowhere
 */
export function applyOverride(config: ConfigNode, override: Override): ConfigNode {
  return set(config, override.path, override);
}

function set(node: ConfigNode | undefined, path: ConfigPath, override: Override): ConfigNode {
  const [step, ...rest] = path;
  const { value } = override;
  if (step === undefined) return value;
  if (node?.kind === "list") {
    const index = indexOf(node.items, step, override);
    const items = [...node.items];
    items[index] = set(items[index], rest, override);
    return { ...node, items };
  }
  if (node && node.kind !== "map" && !(node.kind === "scalar" && node.value === null)) {
    throw cannot(override, `${JSON.stringify(step)} leads into a value that is no map and no list`);
  }
  const entries = new Map(node?.kind === "map" ? node.entries : []);
  const key = String(step);
  // What is written in snake_case in the file stays one entry.
  const written =
    node?.kind === "map" && !entries.has(key) ? [...entries].find(([, entry]) => entry === entryOf(node, key))?.[0] : undefined;
  const name = written ?? key;
  const old = entries.get(name);
  entries.set(name, { ...set(old, rest, override), keyPlace: old?.keyPlace ?? value.place });
  return { place: node?.place ?? value.place, keyPlace: node?.keyPlace, kind: "map", entries };
}

function indexOf(items: readonly ConfigNode[], step: string | number, override: Override): number {
  if (typeof step === "number") {
    if (step <= items.length) return step;
    throw cannot(override, `the list has ${items.length} entries, so the next one would be ${items.length}`);
  }
  const found = items.flatMap((item, index) => (stageNames(item).includes(step) ? [index] : []));
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  throw cannot(
    override,
    found.length > 1
      ? `${JSON.stringify(step)} names ${found.length} stages: ${found.join(", ")}; give the number of one`
      : `${JSON.stringify(step)} names no stage; there are ${items.map((item, index) => `${index} (${stageNames(item).join(", ") || "?"})`).join(", ") || "none"}`,
  );
}

/** What a stage can be called on the command line: its name, or its kind. */
function stageNames(item: ConfigNode): string[] {
  if (item.kind !== "map") return [];
  return STAGE_KINDS.flatMap((kind) => {
    const name = item.entries.get(kind);
    return name?.kind === "scalar" ? [String(name.value), kind] : [];
  });
}

function cannot({ text }: Override, why: string): CheckpointConfigError {
  return new CheckpointConfigError("INVALID_ARGUMENT", `--set ${text.slice(0, text.indexOf("="))} cannot be set: ${why}.`, {
    details: { override: text.slice(0, text.indexOf("=")) },
  });
}
