import { isMap, isPair, isScalar, type Node, parseDocument, type Scalar, visit } from "yaml";
import { sentenceOf, typeText } from "./complete.js";
import { notHere } from "./page-limits.js";
import type { SchemaNode, SchemaWalk } from "./schema-walk.js";
import { type Step, valueAt } from "./yaml-cursor.js";

/** What there is to know of a word in the text. */
export interface WordDescription {
  /** [from, to) in the text. */
  readonly from: number;
  readonly to: number;
  readonly title: string;
  readonly type: string;
  readonly text: string;
  /** Values that it can have. */
  readonly values: readonly string[];
}

/** The documentation of the key, or of the name of a stage, at an offset; undefined where there is none. */
export function describeAt(text: string, offset: number, walk: SchemaWalk): WordDescription | undefined {
  const document = parseDocument(text, { prettyErrors: false, strict: false, uniqueKeys: false, logLevel: "silent" });
  let found: { node: Scalar; isKey: boolean; path: Step[] } | undefined;
  visit(document, {
    Scalar: (key, node, ancestors) => {
      const [from, to] = node.range ?? [0, 0];
      if (offset < from || offset > to) return undefined;
      found = { node, isKey: key === "key", path: stepsOf(ancestors, node) };
      return visit.BREAK;
    },
  });
  if (!found) return undefined;
  const { node, isKey, path } = found;
  const [from, to] = node.range ?? [0, 0];
  let root: unknown;
  try {
    root = document.toJS({ maxAliasCount: 100 });
  } catch {
    return undefined;
  }
  const owners = walk.at(path.slice(0, -1), root);
  const name = String(path.at(-1));
  const property = owners.flatMap((owner) => walk.property(owner, name) ?? [])[0];
  if (!property) return undefined;
  const value = valueAt(root, path);
  const owner = owners.find(({ title }) => title?.startsWith(`${name}: `));
  if (!isKey) return owner && typeof value === "string" ? ofStage(owner, from, to, name, value) : undefined;
  const limit = notHere({ option: name });
  return {
    from,
    to,
    title: name,
    type: owner ? "stage" : typeText(walk, property),
    text: [limit, sentenceOf(property)].filter(Boolean).join("\n\n"),
    values: owner ? [] : walk.choices(property).flatMap((choice) => (choice.enum ?? []).map(String)),
  };
}

function ofStage({ description = "", properties = {} }: SchemaNode, from: number, to: number, kind: string, name: string): WordDescription {
  const options = Object.keys(properties).filter((key) => key !== kind && !key.includes("_"));
  const limit = notHere({ kind, name });
  return { from, to, title: `${kind}: ${name}`, type: "stage", text: [limit, description].filter(Boolean).join("\n\n"), values: options };
}

/** The steps from the root to a value, or to the value of a key. */
function stepsOf(ancestors: readonly unknown[], node: Node): Step[] {
  return ancestors.flatMap((ancestor, index): Step[] => {
    const next = ancestors[index + 1] ?? node;
    if (isPair(ancestor)) return [isScalar(ancestor.key) ? String(ancestor.key.value) : String(ancestor.key)];
    if (isMap(ancestor) || typeof ancestor !== "object" || ancestor === null || !("items" in ancestor)) return [];
    return Array.isArray(ancestor.items) ? [ancestor.items.indexOf(next)] : [];
  });
}
