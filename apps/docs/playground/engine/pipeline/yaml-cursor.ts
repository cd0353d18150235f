import { type Document, isPair, isScalar, isSeq, type Node, type Pair, parseDocument, visit } from "yaml";

/** A step to a value: a key, or an index of a list. */
export type Step = string | number;

/** Where in a YAML text the cursor stands, in terms of the document's values. */
export interface YamlCursor {
  /** `key` of a map, or a value: of a key or in a list. */
  readonly part: "key" | "value";
  /** To the map whose key it is; to the value itself. */
  readonly path: readonly Step[];
  /** The word that a completion replaces: [from, to) in the text. */
  readonly from: number;
  readonly to: number;
  /** What goes before a completion: the dash of a list item that has not been begun. */
  readonly prefix: "" | "- ";
  /** Whether the colon of the key is there already. */
  readonly hasColon: boolean;
  /** The whole document as a plain value, without the word at the cursor. */
  readonly value: unknown;
}

/** Stands for the word at the cursor while the text is parsed. */
const MARK = "CURSOR_STANDS_HERE";
const WORD_BEFORE = /[^\s,[\]{}"'#]*$/;
const KEY_AFTER = /^[^\s,[\]{}"'#:]*/;
const VALUE_AFTER = /^[^\s,[\]{}"'#]*/;

/**
 * Finds what stands at an offset of a YAML text, of which what is being typed need not be valid: the word there is taken as a key or as a
 * value, whichever gives the better document.
 *
 * @returns undefined in comments, in the middle of text, and where the rest of the document cannot be understood
 * @example yamlCursor("stages:\n  - source: lo", 22)?.path; // ["stages", 0, "source"]
 */
export function yamlCursor(text: string, offset: number): YamlCursor | undefined {
  const lineStart = text.lastIndexOf("\n", offset - 1) + 1;
  const before = text.slice(lineStart, offset);
  const lineEnd = text.indexOf("\n", offset);
  const rest = text.slice(offset, lineEnd < 0 ? text.length : lineEnd);
  if (isComment(before)) return undefined;
  const word = WORD_BEFORE.exec(before)?.[0] ?? "";
  if (word.endsWith(":") || word === "-") return undefined;
  const isKeyLike = /^\s*(?:-\s+)*["']?[\w$.-]*$/.test(before) || /[{,]\s*[\w$.-]*$/.test(before);
  const after = (isKeyLike ? KEY_AFTER : VALUE_AFTER).exec(rest)?.[0] ?? "";
  let from = offset - word.length;
  let to = offset + after.length;
  const quote = text[from - 1];
  if (from > lineStart && (quote === '"' || quote === "'")) {
    from--;
    if (text[to] === quote) to++;
  }
  const tail = rest.slice(to - offset);
  const hasColon = isKeyLike && /^\s*:(?:\s|$)/.test(tail);
  const isAlone = isKeyLike && !hasColon && /^\s*(?:#.*)?$/.test(tail) && /^\s*(?:-\s+)*["']?$/.test(text.slice(lineStart, from));
  const hasDash = /^\s*-/.test(before);
  const attempts: (readonly [prefix: "" | "- ", mark: string])[] = isAlone
    ? [["", `${MARK}:`], ...(hasDash ? [] : [["- ", `${MARK}:`] as const]), ["", MARK]]
    : [["", MARK]];
  let best: { errors: number; cursor: YamlCursor } | undefined;
  for (const [prefix, mark] of attempts) {
    const document = parseDocument(`${text.slice(0, from)}${prefix}${mark}${text.slice(to)}`, {
      prettyErrors: false,
      uniqueKeys: false,
      strict: false,
      logLevel: "silent",
    });
    const place = placeOfMark(document);
    if (!place || (best && best.errors <= document.errors.length)) continue;
    const value = plainValue(document, place);
    best = { errors: document.errors.length, cursor: { ...place, from, to, prefix, hasColon, value } };
  }
  return best?.cursor;
}

/** Whether a `#` before the cursor begins a comment: outside quotes, at the line's start or after a space. */
function isComment(before: string): boolean {
  let quote = "";
  for (const [at, letter] of [...before].entries()) {
    if (quote) {
      if (letter === quote) quote = "";
    } else if ((letter === '"' || letter === "'") && /[\s,[{:-]|^$/.test(before[at - 1] ?? "")) quote = letter;
    else if (letter === "#" && /\s|^$/.test(before[at - 1] ?? "")) return true;
  }
  return false;
}

type Place = Pick<YamlCursor, "part" | "path">;

function placeOfMark(document: Document): Place | undefined {
  let place: Place | undefined;
  visit(document, {
    Scalar: (key, node, ancestors) => {
      if (node.value !== MARK) return undefined;
      const path = pathThrough(ancestors, node);
      place = key === "key" ? { part: "key", path: path.slice(0, -1) } : { part: "value", path };
      return visit.BREAK;
    },
  });
  return place;
}

/** The steps that lead through a node's ancestors to it. */
function pathThrough(ancestors: readonly (Document | Node | Pair)[], node: Node): Step[] {
  return ancestors.flatMap((ancestor, index): Step[] => {
    const next = ancestors[index + 1] ?? node;
    if (isPair(ancestor)) return [isScalar(ancestor.key) ? String(ancestor.key.value) : String(ancestor.key)];
    return isSeq(ancestor) ? [ancestor.items.indexOf(next)] : [];
  });
}

function plainValue(document: Document, { part, path }: Place): unknown {
  let root: unknown;
  try {
    root = document.toJS({ maxAliasCount: 100 });
  } catch {
    return undefined; // an alias of nothing, or of too much
  }
  const parents = part === "key" ? path : path.slice(0, -1);
  const parent = valueAt(root, parents);
  const step = part === "key" ? MARK : path.at(-1);
  if (typeof parent === "object" && parent !== null && step !== undefined) {
    if (part === "key") Reflect.deleteProperty(parent, step);
    else Reflect.set(parent, step, null);
  }
  return root;
}

/** The value to which steps lead in plain data; undefined when they lead nowhere. */
export function valueAt(value: unknown, path: readonly Step[]): unknown {
  let found = value;
  for (const step of path) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, step)) return undefined;
    found = Reflect.get(found, step);
  }
  return found;
}
