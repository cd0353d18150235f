import { asNumber, isNode, type ListNode, type ObjectNode, type Tree, type TreeNode } from "@ckptkit/core";
import { pythonRepr } from "@ckptkit/pickle";

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
    const [type, index] = key.args ?? [];
    if (typeof type === "string") return index === undefined ? type : `${type}:${repr(index)}`;
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
    else this.#text(pythonRepr(value instanceof Uint8Array || typeof value === "string" ? value.slice(0, MOST_CHARACTERS) : value));
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
        this.#text(pythonRepr(node));
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
    const [first, second] = args;
    const real = asNumber(first);
    const imaginary = asNumber(second);
    if (type === "builtins.complex" && real !== undefined && imaginary !== undefined) this.#text(complexRepr(real, imaginary));
    else if (type !== "torch.device" || first === undefined) this.#list(`${type}(`, args, ")");
    else {
      this.#list("device(type=", [first], second === undefined ? ")" : ", index=");
      if (second !== undefined) this.#list("", [second], ")");
    }
  }
}

/** dtypes, layouts and the like, which Python shows by their names: `torch.float32`. */
const isTorchConstant = (name: string): boolean => /^torch\.[a-z0-9_]+$/.test(name);

/** `1j`, or `(1+2j)`: integral parts stand without ".0". */
function complexRepr(real: number, imaginary: number): string {
  const part = (value: number): string => pythonRepr({ kind: "real", value }).replace(/\.0$/, "");
  if (Object.is(real, 0)) return `${part(imaginary)}j`;
  const sign = imaginary < 0 || Object.is(imaginary, -0) ? "" : "+";
  return `(${part(real)}${sign}${part(imaginary)}j)`;
}
