import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type Scalar } from "yaml";
import { configError } from "./issues.js";
import type { ConfigNode, ConfigPlace, MapNode } from "./node.js";

/** Values that one file may hold, aliases counted as often as they stand: more than any pipeline has, and soon built. */
const MAX_NODES = 100_000;
const MAX_DEPTH = 100;

/**
 * Parses YAML, of which JSON is a part.
 *
 * @param file names the text in errors.
 * @throws {CheckpointConfigError} CONFIG_SYNTAX with file, line and column of every defect; CONFIG_INVALID for what is no map
 */
export function parseConfigDocument(text: string, file: string): MapNode {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false, strict: true });
  const placeAt = (offset: number): ConfigPlace => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  if (document.errors.length > 0) {
    const issues = document.errors.map(({ message, pos }) => ({ ...placeAt(pos[0]), path: "", message }));
    throw configError("CONFIG_SYNTAX", file, issues);
  }
  const node = new Reader(document, placeAt).read(document.contents, 0);
  if (node.kind === "map") return node;
  const message = 'a map of settings was expected, such as "stages:"';
  throw configError("CONFIG_INVALID", file, [{ ...node.place, path: "", message }]);
}

/** Makes nodes of YAML's. What an alias stands for is read again each time, within a budget. */
class Reader {
  readonly #document: Document;
  readonly #placeAt: (offset: number) => ConfigPlace;
  #left = MAX_NODES;

  constructor(document: Document, placeAt: (offset: number) => ConfigPlace) {
    this.#document = document;
    this.#placeAt = placeAt;
  }

  read(node: Node | null, depth: number, around: ConfigPlace = this.#placeAt(0)): ConfigNode {
    const place = node?.range ? this.#placeAt(node.range[0]) : around;
    if (--this.#left < 0 || depth > MAX_DEPTH) {
      const message =
        depth > MAX_DEPTH ? "this is too deep: an alias may hold itself" : `more than ${MAX_NODES} values: aliases may multiply`;
      throw configError("CONFIG_INVALID", place.file, [{ ...place, path: "", message }]);
    }
    if (isAlias(node)) {
      const target = node.resolve(this.#document);
      if (target) return this.read(target, depth + 1, place);
      throw configError("CONFIG_SYNTAX", place.file, [{ ...place, path: "", message: `nothing has the anchor &${node.source}` }]);
    }
    if (isSeq(node)) return { place, kind: "list", items: node.items.map((item) => this.read(item as Node | null, depth + 1, place)) }; // parsed documents hold nodes
    if (!isMap(node)) return { place, kind: "scalar", ...scalarOf(node) };
    const entries = new Map<string, ConfigNode>();
    for (const { key, value } of node.items) {
      const keyPlace = isScalar(key) && key.range ? this.#placeAt(key.range[0]) : place;
      const name = isScalar(key) ? String(key.value) : String(key);
      entries.set(name, { ...this.read(value as Node | null, depth + 1, keyPlace), keyPlace });
    }
    return { place, kind: "map", entries };
  }
}

function scalarOf(node: Node | null): { value: string | number | boolean | null } {
  const value: unknown = isScalar(node) ? (node as Scalar).value : null;
  if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean") return { value };
  return { value: String(value) };
}
