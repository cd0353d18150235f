import { isPickleNode, type PickleEntry, type PickleNode, type PickleValue } from "./values.js";

/** Characters that are written before the rest is left out: a graph that shares nodes can print as exponentially many. */
const MAX_LENGTH = 10_000;

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
  return text.length > MAX_LENGTH ? text.slice(0, MAX_LENGTH) + OMITTED : text;
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
    if (this.#length > MAX_LENGTH) return;
    if (!isPickleNode(value)) this.#add(plain(value));
    else if (depth > MAX_DEPTH) this.#add(OMITTED);
    else this.#node(value, depth + 1);
  }

  #node(node: PickleNode, depth: number): void {
    switch (node.kind) {
      case "real":
        this.#add(floatRepr(node.value));
        break;
      case "dict":
        this.#pairs(node.entries, depth);
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
        this.#add(`bytearray(${bytesRepr(node.bytes)})`);
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
      if (this.#length > MAX_LENGTH) return;
      if (index > 0) this.#add(", ");
      this.value(item, depth);
    }
    this.#add(close);
  }

  #pairs(entries: readonly PickleEntry[], depth: number): void {
    this.#add("{");
    for (const [index, [key, value]] of entries.entries()) {
      if (this.#length > MAX_LENGTH) return;
      if (index > 0) this.#add(", ");
      this.value(key, depth);
      this.#add(": ");
      this.value(value, depth);
    }
    this.#add("}");
  }
}

function plain(value: null | boolean | number | bigint | string | Uint8Array): string {
  if (value === null) return "None";
  if (value instanceof Uint8Array) return bytesRepr(value);
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") return stringRepr(value);
  if (typeof value === "number") return Number.isInteger(value) ? String(value) : floatRepr(value);
  return bigintText(value);
}

/** Engines print decimal digits of huge integers in more than linear time; Python refuses to above 4,300 digits. */
function bigintText(value: bigint): string {
  const hex = value.toString(16);
  return hex.length > MAX_LENGTH ? `${value < 0n ? "-0x" : "0x"}${hex.slice(value < 0n ? 1 : 0)}` : value.toString();
}

/**
 * Python shows a float with the fewest digits that give it back, as JavaScript does, but turns to exponents below 1e-4 and from 1e16 on.
 *
 * @see https://github.com/python/cpython/blob/main/Python/pystrtod.c PyOS_double_to_string, format code 'r'
 */
function floatRepr(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (Object.is(value, -0)) return "-0.0";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e16)) {
    const [digits = "", exponent = "0"] = value.toExponential().split("e");
    const sign = exponent.startsWith("-") ? "-" : "+";
    return `${digits}e${sign}${exponent.slice(1).padStart(2, "0")}`;
  }
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

const ESCAPES: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function quoted(text: string, spell: (character: string) => string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let result = "";
  for (const character of text) result += character === quote ? `\\${quote}` : (ESCAPES[character] ?? spell(character));
  return `${quote}${result}${quote}`;
}

/** The categories that `str.isprintable` leaves out. @see https://docs.python.org/3/library/stdtypes.html#str.isprintable */
const UNPRINTABLE = /^[\p{C}\p{Z}]$/u;

function stringRepr(text: string): string {
  return quoted(text.slice(0, MAX_LENGTH + 1), (character) => {
    if (character === " " || !UNPRINTABLE.test(character)) return character;
    const point = character.codePointAt(0) ?? 0;
    if (point <= 0xff) return `\\x${point.toString(16).padStart(2, "0")}`;
    return point <= 0xffff ? `\\u${point.toString(16).padStart(4, "0")}` : `\\U${point.toString(16).padStart(8, "0")}`;
  });
}

function bytesRepr(bytes: Uint8Array): string {
  const text = String.fromCharCode(...bytes.subarray(0, MAX_LENGTH + 1));
  return `b${quoted(text, (character) => {
    const code = character.charCodeAt(0);
    return code >= 0x20 && code < 0x7f ? character : `\\x${code.toString(16).padStart(2, "0")}`;
  })}`;
}
