import { asNumber, isNode, type ListNode, type ObjectNode, type Tree, type TreeNode } from "@ckptkit/core";
import { bytesRepr, complexRepr, floatRepr, stringRepr } from "./python-repr.js";

/** Characters after which the text of a compound key ends in "...": shared parts could make it grow without bound. */
const MOST_CHARACTERS = 1000;

/**
 * A key as Python's `str()` shows it: the step that it makes in a path. Keys of classes that are not known here show their class
 * and arguments.
 *
 * @example keyText({ kind: "list", type: "tuple", items: ["a", 1] }) // "('a', 1)"
 */
export function keyText(key: Tree): string {
  if (typeof key === "string") return key;
  if (isNode(key) && key.kind === "object" && key.type === "torch.device") {
    return (key.args ?? []).map((arg) => (typeof arg === "string" ? arg : repr(arg))).join(":");
  }
  return repr(key);
}

/** Python's `repr()` of the values that can be keys. */
function repr(value: Tree): string {
  const text = new Repr();
  text.add(value);
  return text.toString();
}

class Repr {
  readonly #parts: string[] = [];
  #characters = 0;

  toString(): string {
    return this.#parts.join("");
  }

  add(value: Tree): void {
    if (this.#characters > MOST_CHARACTERS) return;
    if (isNode(value)) this.#node(value);
    else if (value === null) this.#text("None");
    else if (value instanceof Uint8Array) this.#text(bytesRepr(value.subarray(0, MOST_CHARACTERS)));
    else if (typeof value === "boolean") this.#text(value ? "True" : "False");
    else if (typeof value === "string") this.#text(stringRepr(value.slice(0, MOST_CHARACTERS)));
    else if (typeof value === "number") this.#text(Number.isInteger(value) ? String(value) : floatRepr(value));
    else this.#text(String(value));
  }

  #text(text: string): void {
    if (this.#characters > MOST_CHARACTERS) return;
    const room = MOST_CHARACTERS - this.#characters;
    this.#characters += text.length;
    this.#parts.push(this.#characters > MOST_CHARACTERS ? `${text.slice(0, room)}...` : text);
  }

  #list(open: string, items: readonly Tree[], close: string): void {
    this.#text(open);
    for (const [index, item] of items.entries()) {
      if (this.#characters > MOST_CHARACTERS) return;
      if (index > 0) this.#text(", ");
      this.add(item);
    }
    this.#text(close);
  }

  #node(node: TreeNode): void {
    switch (node.kind) {
      case "real":
        this.#text(floatRepr(node.value));
        break;
      case "list":
        this.#listNode(node);
        break;
      case "global":
        this.#text(isTorchConstant(node.name) ? node.name : `<class '${node.name.replace(/^builtins\./, "")}'>`);
        break;
      case "tensor":
        this.#text(`tensor(${node.tensor.dtype}, [${node.tensor.shape.join(", ")}])`);
        break;
      case "map":
        this.#text(`${node.type}(...)`);
        break;
      case "object":
        this.#object(node);
        break;
    }
  }

  #listNode({ type, items }: ListNode): void {
    if (type === "tuple") this.#list("(", items, items.length === 1 ? ",)" : ")");
    else if (type === "list") this.#list("[", items, "]");
    else if (type !== "set" && type !== "frozenset") this.#list(`${type}([`, items, "])");
    else if (items.length === 0) this.#text(`${type}()`);
    else if (type === "set") this.#list("{", items, "}");
    else this.#list("frozenset({", items, "})");
  }

  #object({ type, args = [] }: ObjectNode): void {
    const [real, imaginary] = args.map(asNumber);
    if (type === "builtins.complex" && real !== undefined && imaginary !== undefined) this.#text(complexRepr(real, imaginary));
    else this.#list(type === "torch.device" ? "device(type=" : `${type}(`, args, ")");
  }
}

/** dtypes, layouts and the like, which Python shows by their names: `torch.float32`. */
const isTorchConstant = (name: string): boolean => /^torch\.[a-z0-9_]+$/.test(name);
