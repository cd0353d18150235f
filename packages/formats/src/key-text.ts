import { asNumber, floatRepr, isNode, type ListNode, plainRepr, type Tree, type TreeNode } from "@ckptkit/core";

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
function repr(key: Tree): string {
  let text = "";
  const add = (value: Tree): void => {
    if (text.length > MOST_CHARACTERS) return;
    if (isNode(value)) addNode(value);
    else text += plainRepr(value instanceof Uint8Array || typeof value === "string" ? value.slice(0, MOST_CHARACTERS) : value);
  };
  const list = (open: string, items: readonly Tree[], close: string): void => {
    text += open;
    for (const [index, item] of items.entries()) {
      if (text.length > MOST_CHARACTERS) return;
      if (index > 0) text += ", ";
      add(item);
    }
    text += close;
  };
  const addNode = (node: TreeNode): void => {
    const { kind } = node;
    if (kind === "real") text += floatRepr(node.value);
    else if (kind === "global") text += isTorchConstant(node.name) ? node.name : `<class '${node.name.replace(/^builtins\./, "")}'>`;
    else if (kind === "tensor") text += `tensor(${node.tensor.dtype}, [${node.tensor.shape.join(", ")}])`;
    else if (kind === "map") text += `${node.type}(...)`;
    else if (kind === "list") {
      const [open, close] = bracketsOf(node);
      list(open, node.items, close);
    } else {
      const { type, args = [] } = node;
      const [first, second] = args;
      const complex = type === "builtins.complex" ? complexRepr(asNumber(first), asNumber(second)) : undefined;
      if (complex) text += complex;
      else if (type !== "torch.device" || first === undefined) list(`${type}(`, args, ")");
      else {
        list("device(type=", [first], "");
        list(second === undefined ? "" : ", index=", second === undefined ? [] : [second], ")");
      }
    }
  };
  add(key);
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}...` : text;
}

function bracketsOf({ type, items }: ListNode): readonly [string, string] {
  if (type === "tuple") return ["(", items.length === 1 ? ",)" : ")"];
  if (type === "list") return ["[", "]"];
  if (type !== "set" && type !== "frozenset") return [`${type}([`, "])"];
  if (items.length === 0) return [`${type}(`, ")"];
  return type === "set" ? ["{", "}"] : ["frozenset({", "})"];
}

/** dtypes, layouts and the like, which Python shows by their names: `torch.float32`. */
const isTorchConstant = (name: string): boolean => /^torch\.[a-z0-9_]+$/.test(name);

/** `1j`, or `(1+2j)`: integral parts stand without ".0". */
function complexRepr(real: number | undefined, imaginary: number | undefined): string | undefined {
  if (real === undefined || imaginary === undefined) return undefined;
  const [first, second] = [real, imaginary].map((part) => floatRepr(part).replace(/\.0$/, ""));
  return Object.is(real, 0) ? `${second}j` : `(${first}${second?.startsWith("-") ? "" : "+"}${second}j)`;
}
