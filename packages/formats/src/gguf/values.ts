import { checkLimit, type Json, type Limits, type MapNode, type Reading, realNumber, type Tree } from "@ckptkit/core";
import { describeTree } from "../metadata.js";
import { type Cursor, ggufError } from "./cursor.js";

/** The types of metadata values, by their ids. @see https://github.com/ggml-org/ggml/blob/master/docs/gguf.md enum gguf_metadata_value_type */
export const VALUE_TYPES = [
  "uint8",
  "int8",
  "uint16",
  "int16",
  "uint32",
  "int32",
  "float32",
  "bool",
  "string",
  "array",
  "uint64",
  "int64",
  "float64",
] as const;

/** The type of a value that is no array. */
export type GgufScalarType = Exclude<(typeof VALUE_TYPES)[number], "array">;

/** A value of the metadata with its type, as the writer takes it: text may be bytes, where it is no UTF-8. */
export type GgufValue =
  | { readonly type: GgufScalarType; readonly value: GgufScalar }
  | { readonly type: "array"; readonly of: GgufScalarType; readonly values: readonly GgufScalar[] }
  | { readonly type: "array"; readonly of: "array"; readonly values: readonly GgufValue[] };

/** A single value: integers beyond 2^53 - 1 are `bigint`s. */
export type GgufScalar = number | bigint | boolean | string | Uint8Array;

/** Bytes of each type; of text and arrays, the least that they can have. */
const BYTES: Readonly<Record<(typeof VALUE_TYPES)[number], number>> = {
  uint8: 1,
  int8: 1,
  bool: 1,
  uint16: 2,
  int16: 2,
  uint32: 4,
  int32: 4,
  float32: 4,
  uint64: 8,
  int64: 8,
  float64: 8,
  string: 4,
  array: 8,
};

/** Arrays in arrays, deeper than any that was ever written. */
const MOST_DEPTH = 16;

/** Reads typed values, and counts them against the limit. */
export class ValueReader {
  readonly #cursor: Cursor;
  readonly #limits: Limits;
  /** Bytes of a length: 4 in version 1. */
  readonly #lengthBytes: 4 | 8;
  #values = 0;

  constructor(cursor: Cursor, limits: Limits, lengthBytes: 4 | 8) {
    this.#cursor = cursor;
    this.#limits = limits;
    this.#lengthBytes = lengthBytes;
  }

  /** A length before what it counts. */
  *length(what: string): Reading<number> {
    if (!this.#cursor.has(this.#lengthBytes)) yield* this.#cursor.fetch(this.#lengthBytes, what);
    return this.#cursor.size(this.#lengthBytes, what);
  }

  *string(what: string): Reading<string | Uint8Array> {
    const length = yield* this.length(what);
    if (!this.#cursor.has(length)) yield* this.#cursor.fetch(length, what);
    return this.#cursor.text(length);
  }

  *type(what: string): Reading<(typeof VALUE_TYPES)[number]> {
    if (!this.#cursor.has(4)) yield* this.#cursor.fetch(4, what);
    const id = this.#cursor.u32();
    const type = VALUE_TYPES[id];
    if (type === undefined) throw ggufError(this.#cursor.source.name, `${what} has the unknown type ${id}`);
    return type;
  }

  *value(type: (typeof VALUE_TYPES)[number], what: string, depth = 0): Reading<GgufValue> {
    if (type !== "array") {
      this.#count(1, what);
      return { type, value: yield* this.#scalar(type, what) };
    }
    if (depth > MOST_DEPTH) throw ggufError(this.#cursor.source.name, `${what} has arrays in arrays, more than ${MOST_DEPTH} deep`);
    const of = yield* this.type(what);
    const count = yield* this.length(what);
    if (count * BYTES[of] > this.#cursor.left) {
      throw ggufError(this.#cursor.source.name, `${what} declares ${count} values of ${of}, and ${this.#cursor.left} bytes follow`, {
        declared: count,
        found: this.#cursor.left,
      });
    }
    this.#count(count, what);
    if (of === "array") {
      const values: GgufValue[] = [];
      while (values.length < count) values.push(yield* this.value("array", what, depth + 1));
      return { type, of, values };
    }
    const values: GgufScalar[] = [];
    while (values.length < count) {
      if (of === "string") values.push(yield* this.string(what));
      else {
        if (!this.#cursor.has(BYTES[of])) yield* this.#cursor.fetch(BYTES[of], what);
        const some = Math.min(count - values.length, this.#cursor.ready(BYTES[of]));
        for (let i = 0; i < some; i++) values.push(this.#number(of));
      }
    }
    return { type, of, values };
  }

  *#scalar(type: GgufScalarType, what: string): Reading<GgufScalar> {
    if (type === "string") return yield* this.string(what);
    if (!this.#cursor.has(BYTES[type])) yield* this.#cursor.fetch(BYTES[type], what);
    return this.#number(type);
  }

  #count(values: number, what: string): void {
    this.#values += values;
    checkLimit(this.#limits, "metadataValues", this.#values, `Metadata of ${this.#cursor.source.name}, at ${what}`);
  }

  #number(type: Exclude<GgufScalarType, "string">): number | bigint | boolean {
    const cursor = this.#cursor;
    switch (type) {
      case "uint8":
        return cursor.u8();
      case "int8":
        return cursor.i8();
      case "uint16":
        return cursor.u16();
      case "int16":
        return cursor.i16();
      case "uint32":
        return cursor.u32();
      case "int32":
        return cursor.i32();
      case "float32":
        return cursor.f32();
      case "float64":
        return cursor.f64();
      case "uint64":
        return cursor.u64();
      case "int64":
        return cursor.i64();
      case "bool":
        return cursor.u8() !== 0;
    }
  }
}

/** Values of a longer array that the metadata shows; the tree has all. */
const SHOWN = 16;

/** A value as part of the tree. */
export function valueTree(value: GgufValue): Tree {
  if (value.type !== "array") return scalarTree(value.type, value.value);
  const items = value.of === "array" ? value.values.map(valueTree) : value.values.map((item) => scalarTree(value.of, item));
  return { kind: "list", type: "list", items };
}

const scalarTree = (type: string, value: GgufScalar): Tree =>
  typeof value === "number" && type.startsWith("float") ? realNumber(value) : value;

/** Metadata as plain JSON. Of a longer array: its type, how many values it has, and the first of them. */
export function metadataJson(values: ReadonlyMap<string, GgufValue>): { readonly [key: string]: Json } {
  const entries = [...values].map(([key, value]): [string, Tree] => [key, shortTree(value)]);
  return describeTree({ kind: "map", type: "dict", entries });
}

function shortTree(value: GgufValue): Tree {
  if (value.type !== "array" || value.values.length <= SHOWN) return valueTree(value);
  const first =
    value.of === "array" ? value.values.slice(0, SHOWN).map(shortTree) : valueTree({ ...value, values: value.values.slice(0, SHOWN) });
  const attributes: MapNode = {
    kind: "map",
    type: "dict",
    entries: [
      ["count", value.values.length],
      ["first", Array.isArray(first) ? { kind: "list", type: "list", items: first } : first],
    ],
  };
  return { kind: "object", type: `array<${value.of}>`, attributes };
}
