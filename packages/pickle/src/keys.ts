import { decodeLatin1 } from "./strings.js";
import { isPickleNode, type PickleSet, type PickleTuple, type PickleValue } from "./values.js";

/** Stands for one group of equal keys in a JavaScript Map: two keys are equal in Python where their tokens are the same. */
export type KeyToken = string | number | bigint | object | null;

/** Strings up to this length are spelled out in the token of a tuple that holds them; longer ones get a number. */
const SHORT_STRING = 64;

/**
 * Tells which keys are equal as Python does: 1 == 1.0 == True, and strings, bytes, tuples and frozensets by what they hold. All
 * other objects are equal to themselves only. Each tuple is looked at once, however often it is shared.
 */
export class Keys {
  readonly #tokens = new Map<string, object>();
  readonly #longStrings = new Map<string, object>();
  readonly #ofObject = new WeakMap<object, object>();
  readonly #numbers = new Map<object, number>();

  /** The token of a key. */
  token(key: PickleValue): KeyToken {
    if (typeof key === "string" || key === null) return key;
    if (typeof key === "boolean") return key ? 1 : 0;
    if (typeof key === "bigint") return key >= Number.MIN_SAFE_INTEGER && key <= Number.MAX_SAFE_INTEGER ? Number(key) : key;
    if (typeof key === "number") return Number.isNaN(key) ? {} : key;
    if (key instanceof Uint8Array) return this.#cached(key, () => `b${decodeLatin1(key)}`);
    if (key.kind === "real") return Number.isSafeInteger(key.value) ? key.value : BigInt(key.value);
    if (key.kind === "tuple" || key.kind === "frozenset") return this.#compound(key);
    return key;
  }

  /** Whether two keys are equal. */
  same(a: PickleValue, b: PickleValue): boolean {
    if (a === b) return true;
    if (typeof a === "string" || typeof b === "string" || (typeof a === "number" && typeof b === "number")) return false;
    return this.token(a) === this.token(b);
  }

  #cached(key: object, spell: () => string): object {
    let token = this.#ofObject.get(key);
    if (!token) {
      const text = spell();
      token = this.#tokens.get(text) ?? {};
      this.#tokens.set(text, token);
      this.#ofObject.set(key, token);
    }
    return token;
  }

  /** Tuples within tuples come first, over an explicit stack: nesting is as deep as the stream likes. */
  #compound(root: PickleTuple | PickleSet): object {
    const todo: (PickleTuple | PickleSet)[] = [root];
    for (let key = todo.at(-1); key; key = todo.at(-1)) {
      const before = todo.length;
      if (!this.#ofObject.has(key)) {
        for (const item of key.items) if (isCompound(item) && !this.#ofObject.has(item)) todo.push(item);
      }
      if (todo.length > before) continue;
      todo.pop();
      const { kind, items } = key;
      this.#cached(key, () => {
        const parts = items.map((item) => this.#spell(item));
        return kind === "tuple" ? `t${parts.join(",")}` : `f${parts.sort().join(",")}`;
      });
    }
    return this.#ofObject.get(root) ?? root;
  }

  #spell(item: PickleValue): string {
    const token = this.token(item);
    if (token === null) return "N";
    if (typeof token === "string") {
      if (token.length <= SHORT_STRING) return `s${token.length}:${token}`;
      const shared = this.#longStrings.get(token) ?? {};
      this.#longStrings.set(token, shared);
      return this.#number(shared);
    }
    return typeof token === "object" ? this.#number(token) : `n${token}`;
  }

  #number(token: object): string {
    const number = this.#numbers.get(token) ?? this.#numbers.size;
    this.#numbers.set(token, number);
    return `o${number}`;
  }
}

function isCompound(value: PickleValue): value is PickleTuple | PickleSet {
  return isPickleNode(value) && (value.kind === "tuple" || value.kind === "frozenset");
}
