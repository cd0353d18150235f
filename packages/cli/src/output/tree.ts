import { isNode, type TensorSpec, type Tree, type TreeNode } from "@ckptkit/core";
import { type TreePart, treeHead, treeParts, treeText } from "@ckptkit/inspect";
import { Batch } from "./batch.js";
import { printable } from "./printable.js";
import type { Screen } from "./screen.js";
import { countText } from "./sizes.js";
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

  #line({ label, value }: TreePart, lead: string, below: string, path: string, wanted: ReadonlySet<TreeNode> | undefined): void {
    const { colors } = this.#screen;
    const name = printable(label);
    const room = Math.max(20, this.#screen.width - lead.length - name.length - 2);
    const prefix = `${colors.dim(lead)}${name}${name ? ": " : ""}`;
    const scalar = treeText(value);
    if (scalar !== undefined || !isNode(value)) {
      this.#out.add(`${prefix}${cutEnd(printable(scalar ?? "?"), room)}\n`);
      return;
    }
    const head = printable(treeHead(value));
    if (value.kind === "tensor") {
      this.#out.add(`${prefix}${colors.cyan(head)}\n`);
      return;
    }
    const place = this.#places.get(value);
    if (place !== undefined) {
      this.#out.add(`${prefix}${colors.dim(`the same as ${printable(place) || "the root"}`)}\n`);
      return;
    }
    this.#places.set(value, path);
    const all = treeParts(value);
    const children = wanted ? all.filter((child) => isNode(child.value) && wanted.has(child.value)) : all;
    this.#out.add(`${prefix}${colors.dim(head)}\n`);
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

/** The nodes at which some tensors stand, and those on the way to them. */
function leadingTo(tree: Tree, tensors: ReadonlySet<TensorSpec>): Set<TreeNode> {
  const wanted = new Set<TreeNode>();
  const seen = new Set<TreeNode>();
  const visit = (value: Tree): boolean => {
    if (!isNode(value)) return false;
    if (seen.has(value)) return wanted.has(value);
    seen.add(value);
    let leads = value.kind === "tensor" && tensors.has(value.tensor);
    for (const child of treeParts(value)) if (visit(child.value)) leads = true;
    if (leads) wanted.add(value);
    return leads;
  };
  visit(tree);
  return wanted;
}
