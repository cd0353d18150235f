import { floatRepr, MAX_REPR_LENGTH, plainRepr } from "@ckptkit/core";
import { isPickleNode, type PickleNode, type PickleValue } from "./values.js";

/** Nesting that is written out. */
const MAX_DEPTH = 100;

const OMITTED = "...";

/**
 * What Python's `str()` shows of a value: how keys of state dicts and optimizers appear in paths. Strings come back as they are; the
 * members of tuples and other collections as `repr()` shows them. Values of which only the class is known show their construction.
 * What is longer than 10,000 characters or nested deeper than 100 ends in "...".
 *
 * @example pythonStr({ kind: "tuple", items: ["a", 1] }) // "('a', 1)"
 */
export function pythonStr(value: PickleValue): string {
  return typeof value === "string" ? value : pythonRepr(value);
}

/**
 * What Python's `repr()` shows of a value, with the bounds of {@link pythonStr}.
 *
 * @example pythonRepr("it's") // "\"it's\""
 */
export function pythonRepr(value: PickleValue): string {
  const parts: string[] = [];
  new Writer(parts).value(value, 0);
  const text = parts.join("");
  return text.length > MAX_REPR_LENGTH ? text.slice(0, MAX_REPR_LENGTH) + OMITTED : text;
}

class Writer {
  readonly #parts: string[];
  #length = 0;

  constructor(parts: string[]) {
    this.#parts = parts;
  }

  #add(text: string): void {
    this.#parts.push(text);
    this.#length += text.length;
  }

  value(value: PickleValue, depth: number): void {
    if (this.#length > MAX_REPR_LENGTH) return;
    if (!isPickleNode(value)) this.#add(plainRepr(value));
    else if (depth > MAX_DEPTH) this.#add(OMITTED);
    else this.#node(value, depth + 1);
  }

  #node(node: PickleNode, depth: number): void {
    switch (node.kind) {
      case "real":
        this.#add(floatRepr(node.value));
        break;
      case "dict":
        this.#pairs(node.keysAndValues, depth);
        break;
      case "list":
        this.#items("[", node.items, "]", depth);
        break;
      case "tuple":
        this.#items("(", node.items, node.items.length === 1 ? ",)" : ")", depth);
        break;
      case "set":
        if (node.items.length === 0) this.#add("set()");
        else this.#items("{", node.items, "}", depth);
        break;
      case "frozenset":
        if (node.items.length === 0) this.#add("frozenset()");
        else this.#items("frozenset({", node.items, "})", depth);
        break;
      case "bytearray":
        this.#add(`bytearray(${plainRepr(node.bytes)})`);
        break;
      case "global":
        this.#add(`<class '${node.module === "builtins" ? "" : `${node.module}.`}${node.name}'>`);
        break;
      case "call": {
        const { callable } = node;
        if (isPickleNode(callable) && callable.kind === "global") this.#add(`${callable.module}.${callable.name}`);
        else this.value(callable, depth);
        this.#items("(", node.args, ")", depth);
        break;
      }
      case "persistent":
        this.#add("<persistent ");
        this.value(node.id, depth);
        this.#add(">");
        break;
      case "buffer":
        this.#add(`<buffer ${node.index}>`);
    }
  }

  #items(open: string, items: readonly PickleValue[], close: string, depth: number): void {
    this.#add(open);
    for (const [index, item] of items.entries()) {
      if (this.#length > MAX_REPR_LENGTH) return;
      if (index > 0) this.#add(", ");
      this.value(item, depth);
    }
    this.#add(close);
  }

  #pairs(keysAndValues: readonly PickleValue[], depth: number): void {
    this.#add("{");
    for (const [index, part] of keysAndValues.entries()) {
      if (this.#length > MAX_REPR_LENGTH) return;
      if (index > 0) this.#add(index % 2 === 0 ? ", " : ": ");
      this.value(part, depth);
    }
    this.#add("}");
  }
}
