import { type ByteSource, type Bytes, checkLimit, type Limits, type SignalOptions } from "@ckptkit/core";
import { zarrError } from "./errors.js";
import type { KeyStore } from "./store.js";

/** An object of JSON, whose values are still to be checked. */
export type JsonObject = { readonly [key: string]: unknown };

export const isObject = (value: unknown): value is JsonObject => typeof value === "object" && value !== null && !Array.isArray(value);

/** Whole numbers from 0 on: shapes and sizes. */
export const isSizes = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((size) => typeof size === "number" && Number.isSafeInteger(size) && size >= 0);

/** Numbers that JSON does not have and Python's json writes. */
const NO_NUMBER = /-?\b(?:NaN|Infinity)\b/g;

/** Text of JSON with those numbers as strings. What is between quotes stays as it is. */
function withoutNoNumbers(text: string): string {
  let changed = "";
  let start = 0;
  while (start < text.length) {
    const quote = text.indexOf('"', start);
    const outside = text.slice(start, quote < 0 ? text.length : quote);
    changed += outside.replace(NO_NUMBER, '"$&"');
    if (quote < 0) break;
    let end = quote + 1;
    while (end < text.length && text[end] !== '"') end += text[end] === "\\" ? 2 : 1;
    changed += text.slice(quote, end + 1);
    start = end + 1;
  }
  return changed;
}

/** Nesting of metadata. Consolidated metadata have some five levels. */
const MOST_DEPTH = 500;

/** Whether brackets outside of strings nest deeper than any metadata do: walking such values would exhaust the stack. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  let isText = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === "\\") at++;
    else if (character === '"') isText = !isText;
    else if (isText) continue;
    else if (character === "[" || character === "{") depth++;
    else if (character === "]" || character === "}") depth--;
    if (depth > MOST_DEPTH) return true;
  }
  return false;
}

/** @throws {CheckpointLoadError} ZARR_CORRUPT for text that is no object of JSON */
export function parseObject(bytes: Bytes, name: string): JsonObject {
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.slice());
  } catch {
    throw zarrError(name, "they are no UTF-8 text");
  }
  if (isTooDeep(text)) throw zarrError(name, `their values are nested more than ${MOST_DEPTH} deep`);
  try {
    value = JSON.parse(text);
  } catch {
    try {
      value = JSON.parse(withoutNoNumbers(text));
    } catch (cause) {
      throw Object.assign(zarrError(name, "they are no JSON"), { cause });
    }
  }
  if (!isObject(value)) throw zarrError(name, "they are no JSON object");
  return value;
}

/** @throws {CheckpointLoadError} ZARR_CORRUPT, LIMIT_EXCEEDED */
export async function readObject(source: ByteSource, limits: Limits, options?: SignalOptions): Promise<JsonObject> {
  checkLimit(limits, "headerBytes", source.size, `Size of ${source.name}`);
  return parseObject(await source.read(0, source.size, options), source.name);
}

/** The object under a key; undefined when there is none. @throws {CheckpointLoadError} ZARR_CORRUPT, LIMIT_EXCEEDED */
export async function objectAt(store: KeyStore, key: string, limits: Limits, options?: SignalOptions): Promise<JsonObject | undefined> {
  const source = await store.open(key, options);
  if (!source) return undefined;
  try {
    return await readObject(source, limits, options);
  } finally {
    await source.close?.();
  }
}
