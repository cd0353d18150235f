import type { PickleEntry, PickleGlobal, PickleValue } from "../src/index.js";

/** A pickle stream as Python's `b"..."` spells it: every character of a text is one byte. */
export function stream(...parts: (string | Uint8Array)[]): Uint8Array {
  const arrays = parts.map((part) => (typeof part === "string" ? Uint8Array.from(part, (character) => character.charCodeAt(0)) : part));
  const bytes = new Uint8Array(arrays.reduce((length, array) => length + array.length, 0));
  let at = 0;
  for (const array of arrays) {
    bytes.set(array, at);
    at += array.length;
  }
  return bytes;
}

/** An integer as `size` little-endian bytes. */
export function little(value: number, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, index) => Math.floor(value / 256 ** index) % 256);
}

export const fromBase64 = (text: string): Uint8Array => stream(atob(text));

export const real = (value: number): PickleValue => ({ kind: "real", value });
export const list = (...items: PickleValue[]): PickleValue => ({ kind: "list", items });
export const tuple = (...items: PickleValue[]): PickleValue => ({ kind: "tuple", items });
export const dict = (...entries: PickleEntry[]): PickleValue => ({ kind: "dict", keysAndValues: entries.flat() });
export const set = (...items: PickleValue[]): PickleValue => ({ kind: "set", items });
export const frozenset = (...items: PickleValue[]): PickleValue => ({ kind: "frozenset", items });
export const global = (module: string, name: string): PickleGlobal => ({ kind: "global", module, name });
export const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
