import { isNode, type Tree } from "@ckptkit/core";
import { treeHead, treeParts, treeText } from "@ckptkit/inspect";

/** One line of the object tree. */
export interface ObjectRow {
  /** Places of the parts from the root down: names the line. */
  readonly at: readonly number[];
  readonly label: string;
  /** The value, or what kind of node it is and of how many parts. */
  readonly text: string;
  readonly kind: "value" | "node" | "tensor";
  readonly depth: number;
  /** Undefined where there is nothing to open. */
  readonly open?: boolean;
  /** A node that the line stands within: opening it would show the same again. */
  readonly isCycle?: boolean;
}

/** Text of a value that a line shows; the rest is for the clipboard. */
const MOST_CHARACTERS = 2_000;
/** Nodes and values that one search looks at. */
const MOST_VISITS = 2_000_000;

interface Line {
  readonly label: string;
  readonly value: Tree;
  readonly parent: Line | undefined;
  readonly place: number;
  readonly depth: number;
  parts?: readonly Line[];
  isOpen: boolean;
}

/** The lines of an object graph that are open: shared nodes and cycles are opened as often as a person wants to, and no further by themselves. */
export class ObjectRows {
  readonly #root: Line;
  #lines: Line[] = [];

  /** @param openTo parts of the root that have at most so many parts themselves are open in the beginning. */
  constructor(tree: Tree, openTo = 12) {
    this.#root = { label: "", value: tree, parent: undefined, place: 0, depth: -1, isOpen: true };
    for (const part of partsOf(this.#root)) {
      const parts = isNode(part.value) && part.value.kind !== "tensor" ? treeParts(part.value) : [];
      part.isOpen = parts.length > 0 && parts.length <= openTo && treeText(part.value) === undefined;
    }
    this.#lines = openLines(this.#root);
  }

  get count(): number {
    return this.#lines.length;
  }

  /** The lines [start, end). */
  rows(start: number, end: number): ObjectRow[] {
    return this.#lines.slice(start, end).map(toRow);
  }

  /** Opens or closes the line at a row. */
  toggle(row: number, open: boolean): void {
    const line = this.#lines[row];
    if (!line || line.isOpen === open || !canOpen(line)) return;
    line.isOpen = open;
    this.#lines = openLines(this.#root);
  }

  /** Opens what leads to a line, and gives its row; -1 when there is no such line. */
  reveal(at: readonly number[]): number {
    let line = this.#root;
    for (const place of at) {
      line.isOpen = true;
      const next = partsOf(line)[place];
      if (!next) return -1;
      line = next;
    }
    this.#lines = openLines(this.#root);
    return this.#lines.indexOf(line);
  }

  /** The value of a line. */
  valueAt(at: readonly number[]): Tree | undefined {
    let line: Line | undefined = this.#root;
    for (const place of at) line = line && partsOf(line)[place];
    return line?.value;
  }

  /**
   * Lines whose key or value holds a text, in the order of the file, shared nodes once.
   *
   * @param most how many are given at the most; `isCut` tells that there are more, or that the search ended early.
   */
  search(text: string, most = 500): { rows: (ObjectRow & { path: string })[]; isCut: boolean } {
    const wanted = text.toLowerCase();
    const rows: (ObjectRow & { path: string })[] = [];
    const seen = new Set<Tree>();
    const stack: Line[] = [...partsOf(this.#root)].reverse();
    for (let visits = 0; stack.length > 0; visits++) {
      if (visits > MOST_VISITS) return { rows, isCut: true };
      const line = stack.pop();
      if (!line) break;
      const shown = treeText(line.value);
      if (line.label.toLowerCase().includes(wanted) || (shown ?? typeOf(line.value)).toLowerCase().includes(wanted)) {
        if (rows.length === most) return { rows, isCut: true };
        rows.push({ ...toRow(line), path: pathOf(line) });
      }
      if (shown !== undefined || !isNode(line.value) || line.value.kind === "tensor" || seen.has(line.value)) continue;
      seen.add(line.value);
      // Not kept in the line: a search must not hold on to all of a large graph.
      const parts = line.parts ?? makeParts(line);
      for (let index = parts.length - 1; index >= 0; index--) stack.push(parts[index] as Line); // the index is within
    }
    return { rows, isCut: false };
  }
}

function makeParts(line: Line): Line[] {
  return treeParts(line.value).map(({ label, value }, place) => ({
    label,
    value,
    parent: line,
    place,
    depth: line.depth + 1,
    isOpen: false,
  }));
}

function partsOf(line: Line): readonly Line[] {
  line.parts ??= makeParts(line);
  return line.parts;
}

function openLines(root: Line): Line[] {
  const lines: Line[] = [];
  const stack = [...partsOf(root)].reverse();
  for (let line = stack.pop(); line; line = stack.pop()) {
    lines.push(line);
    if (!line.isOpen) continue;
    const parts = partsOf(line);
    for (let index = parts.length - 1; index >= 0; index--) stack.push(parts[index] as Line); // the index is within
  }
  return lines;
}

/** A value that fits into its line has nothing to open, but a list of plain values may be opened too. */
function canOpen({ value }: Line): boolean {
  if (!isNode(value) || value.kind === "tensor" || value.kind === "real" || value.kind === "global") return false;
  return value.kind === "object" ? treeParts(value).length > 0 : (value.kind === "map" ? value.entries : value.items).length > 0;
}

function toRow(line: Line): ObjectRow {
  const { value, label, depth, isOpen } = line;
  const text = treeText(value);
  const head = text ?? (isNode(value) ? treeHead(value) : "?");
  return {
    at: placesOf(line),
    label,
    text: head.length > MOST_CHARACTERS ? `${head.slice(0, MOST_CHARACTERS)}...` : head,
    kind: isNode(value) && value.kind === "tensor" ? "tensor" : text === undefined ? "node" : "value",
    depth,
    ...(canOpen(line) ? { open: isOpen } : {}),
    ...(isWithinItself(line) ? { isCycle: true } : {}),
  };
}

function isWithinItself({ value, parent }: Line): boolean {
  if (!isNode(value)) return false;
  for (let above = parent; above; above = above.parent) if (above.value === value) return true;
  return false;
}

function placesOf(line: Line): number[] {
  const places: number[] = [];
  for (let at: Line | undefined = line; at?.parent; at = at.parent) places.push(at.place);
  return places.reverse();
}

function pathOf(line: Line): string {
  const labels: string[] = [];
  for (let at: Line | undefined = line; at?.parent; at = at.parent) labels.push(at.label);
  return labels.reverse().join(" › ");
}

const typeOf = (value: Tree): string => (isNode(value) && "type" in value ? value.type : "");
