import { formatSize } from "@ckptkit/core";
import type { ModuleNode } from "@ckptkit/inspect";
import { barText } from "./bars.js";
import { printable } from "./printable.js";
import type { Screen } from "./screen.js";
import { countText } from "./sizes.js";
import { type Row, tableText } from "./table.js";

/** Lines that are shown when no depth is asked for. */
const USUAL_LINES = 100;
const BAR_COLUMNS = 12;
/** A layer's siblings are folded from so many on. */
const FOLDED = 3;

/** How a module tree is shown. */
export interface ModuleOptions {
  /** Levels below the root; by default as many as fit on about a hundred lines. */
  depth?: number | undefined;
  /** Shows each of the layers that are alike. */
  verbose: boolean;
}

/** A module, or a run of modules with the same inside. */
interface Line {
  readonly node: ModuleNode;
  readonly name: string;
  readonly alike: number;
}

/** Writes modules with their sums, indented by depth. Numbered layers that are alike stand on one line. */
export function writeModules(root: ModuleNode, screen: Screen, { depth, verbose }: ModuleOptions): void {
  const fold = foldLayers(verbose);
  const lines = depth === undefined ? fitting(root, fold) : linesOf(root, depth, fold);
  const whole = Math.max(1, root.parameters);
  const rows = lines.map(({ line: { node, name, alike }, level }): Row => {
    const part = (node.parameters * alike) / whole;
    return {
      cells: [
        `${"  ".repeat(level)}${printable(name) || '""'}`,
        countText(node.parameters * alike),
        formatSize(node.byteLength * alike),
        countText(node.tensors * alike),
        Object.keys(node.dtypes).map(printable).join(" "),
        `${(part * 100).toFixed(1)}%`,
        barText(part, BAR_COLUMNS),
        alike > 1 ? `${countText(alike)} alike` : "",
      ],
    };
  });
  const right = (title: string, expendable?: number) => ({ title, align: "right" as const, ...(expendable && { expendable }) });
  const { cyan, dim } = screen.colors;
  const columns = [
    { title: "module", elastic: true },
    right("parameters"),
    right("size", 3),
    right("tensors", 2),
    { title: "dtype", style: cyan, expendable: 4 },
    right("part"),
    { title: "", style: cyan, expendable: 5 },
    { title: "", style: dim, expendable: 1 },
  ];
  screen.write(tableText(columns, rows, screen, 2));
}

type Fold = (children: readonly ModuleNode[]) => Line[];

function fitting(root: ModuleNode, fold: Fold): { line: Line; level: number }[] {
  let lines = linesOf(root, 1, fold);
  for (let depth = 2; ; depth++) {
    const deeper = linesOf(root, depth, fold);
    if (deeper.length === lines.length || deeper.length > USUAL_LINES) return lines;
    lines = deeper;
  }
}

/** The lines down to a depth, in the order of the file. */
function linesOf(root: ModuleNode, depth: number, fold: Fold): { line: Line; level: number }[] {
  const found: { line: Line; level: number }[] = [];
  const open = [{ line: { node: root, name: "(all)", alike: 1 }, level: 0 }];
  for (let next = open.pop(); next; next = open.pop()) {
    found.push(next);
    const { level } = next;
    if (level >= depth) continue;
    for (const line of fold(next.line.node.children).reverse()) open.push({ line, level: level + 1 });
  }
  return found;
}

/** Makes runs of numbered siblings that are alike one line. */
function foldLayers(verbose: boolean): Fold {
  const known = new WeakMap<ModuleNode, Line[]>();
  const inside = new WeakMap<ModuleNode, string>();
  /** Nodes nest to a bounded depth, so this does as well. */
  const insideOf = (node: ModuleNode): string => {
    let text = inside.get(node);
    if (text === undefined) {
      const { tensors, parameters, byteLength, dtypes, own, children } = node;
      text = JSON.stringify([
        tensors,
        parameters,
        byteLength,
        dtypes,
        own.map(({ name }) => name),
        children.map((child) => [child.name, children.length > 64 ? "" : insideOf(child)]),
      ]);
      inside.set(node, text);
    }
    return text;
  };
  return (children) => {
    const first = children[0];
    const before = first && known.get(first);
    if (before) return [...before];
    const lines: Line[] = [];
    for (let at = 0; at < children.length; ) {
      const node = children[at];
      if (!node) break;
      let end = at + 1;
      if (!verbose && /^\d+$/.test(node.name)) {
        for (let next = children[end]; next && /^\d+$/.test(next.name) && insideOf(next) === insideOf(node); next = children[++end]);
      }
      const alike = end - at >= FOLDED ? end - at : 1;
      const last = children[at + alike - 1] ?? node;
      lines.push({ node, name: alike > 1 ? `${node.name} ... ${last.name}` : node.name, alike });
      at += alike;
    }
    if (first) known.set(first, lines);
    return [...lines];
  };
}
