import { isNode, type TensorSpec, type Tree, type TreeNode } from "@ckptkit/core";
import { Batch } from "./batch.js";
import { printable } from "./printable.js";
import type { Screen } from "./screen.js";
import { countText } from "./sizes.js";
import { inlineText, keyText, typeText } from "./tree-values.js";
import { cutEnd } from "./width.js";

/** Children of one node that are shown without --verbose: every layer of a large model, and not every number of a curve. */
const CHILDREN_SHOWN = 2_000;
const ITEMS_SHOWN = 100;

/** What of a tree to show. */
export interface TreeOptions {
  /** Shows everything, however long. */
  verbose: boolean;
  /** Shows only these tensors, and what leads to them. */
  tensors?: ReadonlySet<TensorSpec> | undefined;
}

/** A line of the tree: a label, and the value behind it. */
interface Child {
  readonly label: string;
  readonly value: Tree;
}

/**
 * Writes an inert object graph as an indented tree, in the style of `tree(1)`. A node that stands in several places is opened
 * in the first and named in the others, so the output is no larger than the file.
 */
export function writeTree(tree: Tree, title: string, screen: Screen, options: TreeOptions): void {
  new TreeWriter(screen, options).write(tree, title);
}

class TreeWriter {
  readonly #screen: Screen;
  readonly #options: TreeOptions;
  readonly #places = new Map<TreeNode, string>();
  readonly #out: Batch;

  constructor(screen: Screen, options: TreeOptions) {
    this.#screen = screen;
    this.#options = options;
    this.#out = new Batch(screen);
  }

  write(tree: Tree, title: string): void {
    this.#out.add(`${this.#screen.colors.bold(printable(title))}\n`);
    const wanted = this.#options.tensors && leadingTo(tree, this.#options.tensors);
    this.#line({ label: "", value: tree }, "", "", "", wanted);
    this.#out.flush();
  }

  #line({ label, value }: Child, lead: string, below: string, path: string, wanted: ReadonlySet<TreeNode> | undefined): void {
    const { colors } = this.#screen;
    const room = Math.max(20, this.#screen.width - lead.length - label.length - 2);
    const prefix = `${colors.dim(lead)}${label}${label ? ": " : ""}`;
    const scalar = inlineText(value);
    if (scalar !== undefined || !isNode(value)) {
      this.#out.add(`${prefix}${cutEnd(scalar ?? "?", room)}\n`);
      return;
    }
    if (value.kind === "tensor") {
      this.#out.add(`${prefix}${colors.cyan(tensorText(value.tensor))}\n`);
      return;
    }
    const place = this.#places.get(value);
    if (place !== undefined) {
      this.#out.add(`${prefix}${colors.dim(`the same as ${place || "the root"}`)}\n`);
      return;
    }
    this.#places.set(value, path);
    const all = childrenOf(value);
    const children = wanted ? all.filter((child) => isNode(child.value) && wanted.has(child.value)) : all;
    this.#out.add(`${prefix}${colors.dim(headText(value))}\n`);
    const most = this.#options.verbose ? Number.POSITIVE_INFINITY : value.kind === "list" ? ITEMS_SHOWN : CHILDREN_SHOWN;
    const hidden = Math.max(0, children.length - most);
    const shown = hidden > 0 ? children.slice(0, most) : children;
    for (const [index, child] of shown.entries()) {
      const isLast = index === shown.length - 1 && hidden === 0;
      const to = path ? `${path}.${child.label}` : child.label;
      this.#line(child, `${below}${isLast ? "└── " : "├── "}`, `${below}${isLast ? "    " : "│   "}`, to, wanted);
    }
    if (hidden > 0) this.#out.add(colors.dim(`${below}└── ... and ${countText(hidden)} more: --verbose shows all\n`));
  }
}

function tensorText({ dtype, shape, storage }: TensorSpec): string {
  return `${printable(dtype)} [${shape.join(", ")}]${storage ? "" : " without bytes"}`;
}

function headText(node: TreeNode): string {
  if (node.kind === "map") return `${typeText(node.type)} of ${countText(node.entries.length)}`;
  if (node.kind === "list") return `${typeText(node.type)} of ${countText(node.items.length)}`;
  return node.kind === "object" ? typeText(node.type) : node.kind;
}

/** The named parts of a node. What has no name in the file has its own in angle brackets. */
function childrenOf(node: TreeNode): Child[] {
  const entry = ([key, value]: [Tree, Tree]): Child => ({ label: keyText(key), value });
  const item = (value: Tree, index: number): Child => ({ label: String(index), value });
  if (node.kind === "map") return [...node.entries.map(entry), ...(node.attributes?.entries ?? []).map(attribute)];
  if (node.kind === "list") return node.items.map(item);
  if (node.kind !== "object") return [];
  const { args = [], attributes, state, items = [], entries = [] } = node;
  return [
    ...(args.length > 0 ? [{ label: "<args>", value: { kind: "list", type: "tuple", items: args } } as const] : []),
    ...(attributes?.entries ?? []).map(entry),
    ...(state === undefined ? [] : [{ label: "<state>", value: state }]),
    ...items.map(item),
    ...entries.map(entry),
  ];
}

/** Attributes of a map stand beside its keys. */
const attribute = ([key, value]: [Tree, Tree]): Child => ({ label: `<${keyText(key)}>`, value });

/** The nodes at which some tensors stand, and those on the way to them. */
function leadingTo(tree: Tree, tensors: ReadonlySet<TensorSpec>): Set<TreeNode> {
  const wanted = new Set<TreeNode>();
  const seen = new Set<TreeNode>();
  const visit = (value: Tree): boolean => {
    if (!isNode(value)) return false;
    if (seen.has(value)) return wanted.has(value);
    seen.add(value);
    let leads = value.kind === "tensor" && tensors.has(value.tensor);
    for (const child of childrenOf(value)) if (visit(child.value)) leads = true;
    if (leads) wanted.add(value);
    return leads;
  };
  visit(tree);
  return wanted;
}
