import type { KeyToken } from "./keys.js";
import type { Machine } from "./machine.js";
import type { PickleValue } from "./values.js";

/** Up to this many keys a mapping is searched one by one, which is faster than a Map. */
const FEW = 8;

/** Picklers write mappings in batches of 1000 (CPython's _BATCHSIZE): a larger batch comes alone or is followed by others. */
const BATCH = 1000;

/** Where each key of the larger mappings and sets stands, while a stream is read. */
export class Indexes {
  readonly #places = new Map<object, Map<KeyToken, number>>();

  /** The index of a mapping or set, made from its keys where it is missing or behind; kept when more is likely to come. */
  of(owner: object, size: number, tokens: Iterable<KeyToken>, keep: boolean): Map<KeyToken, number> {
    let index = this.#places.get(owner);
    if (!index || index.size !== size) {
      index = new Map();
      for (const token of tokens) index.set(token, index.size);
      if (keep) this.#places.set(owner, index);
    }
    return index;
  }
}

/**
 * Adds the pairs on the stack in [from, to) to a mapping's keys and values as Python does: an equal key keeps its place and gets the
 * new value. Returns the keys and values: a new array when there were none.
 */
export function addEntries(machine: Machine, owner: object, keysAndValues: PickleValue[], from: number, to: number): PickleValue[] {
  const { stack, keys } = machine;
  if (keysAndValues.length + to - from > 2 * FEW) return addMany(machine, owner, keysAndValues, from, to);
  const isFresh = keysAndValues.length === 0;
  if (isFresh && areDistinct(machine, from, to)) return stack.slice(from, to);
  const target = isFresh ? [] : keysAndValues;
  for (let at = from; at < to; at += 2) {
    const key = valueAt(stack, at);
    const value = valueAt(stack, at + 1);
    let place = 0;
    while (place < target.length && !keys.same(valueAt(target, place), key)) place += 2;
    if (place === target.length) target.push(key, value);
    else {
      duplicate(machine);
      target[place + 1] = value;
    }
  }
  return target;
}

/** Whether no two of a few keys are equal. Picklers write one mapping like the one before: the very same keys need no second look. */
function areDistinct(machine: Machine, from: number, to: number): boolean {
  const { stack, keys, lastKeys } = machine;
  const last = lastKeys[to - from];
  if (last) {
    let same = 0;
    for (let at = from; at < to && stack[at] === last[same]; at += 2) same++;
    if (from + 2 * same === to) return true;
  }
  for (let at = from + 2; at < to; at += 2) {
    const key = valueAt(stack, at);
    for (let before = from; before < at; before += 2) if (keys.same(valueAt(stack, before), key)) return false;
  }
  const seen: PickleValue[] = [];
  for (let at = from; at < to; at += 2) {
    const key = valueAt(stack, at);
    // What can change later, or holds more, is looked at every time.
    if (typeof key !== "string" && typeof key !== "number") return true;
    seen.push(key);
  }
  lastKeys[to - from] = seen;
  return true;
}

function addMany(machine: Machine, owner: object, keysAndValues: PickleValue[], from: number, to: number): PickleValue[] {
  const { stack, keys } = machine;
  const keep = keysAndValues.length > 0 || to - from >= 2 * BATCH;
  const index = machine.indexes.of(owner, keysAndValues.length / 2, keysOf(machine, keysAndValues), keep);
  for (let at = from; at < to; at += 2) {
    const key = valueAt(stack, at);
    const value = valueAt(stack, at + 1);
    const token = keys.token(key);
    const place = index.get(token);
    if (place === undefined) {
      index.set(token, keysAndValues.length / 2);
      keysAndValues.push(key, value);
    } else {
      duplicate(machine);
      keysAndValues[2 * place + 1] = value;
    }
  }
  return keysAndValues;
}

function* keysOf(machine: Machine, keysAndValues: readonly PickleValue[]): Generator<KeyToken> {
  for (let at = 0; at < keysAndValues.length; at += 2) yield machine.keys.token(valueAt(keysAndValues, at));
}

function* tokensOf(machine: Machine, items: readonly PickleValue[]): Generator<KeyToken> {
  for (const item of items) yield machine.keys.token(item);
}

function duplicate(machine: Machine): void {
  machine.note("pickle-duplicate-key", "warning", "A mapping is given a key twice: no pickler writes that. The last value counts.");
}

/** Adds items to those of a set, without the ones that are equal to one before. */
export function addToSet(machine: Machine, owner: object, items: PickleValue[], added: readonly PickleValue[]): void {
  const { keys } = machine;
  if (items.length + added.length <= FEW) {
    for (const item of added) if (!items.some((known) => keys.same(known, item))) items.push(item);
    return;
  }
  const keep = items.length > 0 || added.length >= BATCH;
  const index = machine.indexes.of(owner, items.length, tokensOf(machine, items), keep);
  for (const item of added) {
    const token = keys.token(item);
    if (index.has(token)) continue;
    index.set(token, items.length);
    items.push(item);
  }
}

function valueAt(stack: readonly PickleValue[], at: number): PickleValue {
  const value = stack[at];
  return value === undefined ? null : value;
}
