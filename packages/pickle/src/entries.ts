import type { KeyToken } from "./keys.js";
import type { Machine } from "./machine.js";
import type { PickleEntry, PickleValue } from "./values.js";

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
 * Adds the pairs on the stack in [from, to) to a mapping's entries as Python does: an equal key keeps its place and gets the new
 * value. Returns the entries: a new array when there were none.
 */
export function addEntries(machine: Machine, owner: object, entries: PickleEntry[], from: number, to: number): PickleEntry[] {
  const { stack, keys } = machine;
  const pairs = (to - from) / 2;
  if (entries.length + pairs > FEW) return addMany(machine, owner, entries, from, to);
  const fresh = entries.length === 0;
  const target = fresh ? machine.scratch : entries;
  let length = entries.length;
  for (let at = from; at < to; at += 2) {
    const key = valueAt(stack, at);
    const value = valueAt(stack, at + 1);
    let place = 0;
    while (place < length && !keys.same(target[place]?.[0] ?? null, key)) place++;
    const known = target[place];
    if (place === length) target[length++] = [key, value];
    else if (known) {
      duplicate(machine);
      target[place] = [known[0], value];
    }
  }
  return fresh ? target.slice(0, length) : entries;
}

function addMany(machine: Machine, owner: object, entries: PickleEntry[], from: number, to: number): PickleEntry[] {
  const { stack, keys } = machine;
  const keep = entries.length > 0 || to - from >= 2 * BATCH;
  const index = machine.indexes.of(owner, entries.length, keysOf(machine, entries), keep);
  for (let at = from; at < to; at += 2) {
    const key = valueAt(stack, at);
    const value = valueAt(stack, at + 1);
    const token = keys.token(key);
    const place = index.get(token);
    const known = place === undefined ? undefined : entries[place];
    if (place === undefined || !known) {
      index.set(token, entries.length);
      entries.push([key, value]);
    } else {
      duplicate(machine);
      entries[place] = [known[0], value];
    }
  }
  return entries;
}

function* keysOf(machine: Machine, entries: readonly PickleEntry[]): Generator<KeyToken> {
  for (const [key] of entries) yield machine.keys.token(key);
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
