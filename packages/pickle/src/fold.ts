import { addToSet } from "./entries.js";
import type { Machine } from "./machine.js";
import { encodeLatin1 } from "./strings.js";
import { isPickleNode, type PickleCall, type PickleGlobal, type PickleNode, type PickleSet, type PickleValue } from "./values.js";

/**
 * Older protocols have no opcodes for bytes, sets and bytearrays: picklers write a call of a built-in instead. These exact calls
 * are shown as the value that they stand for. Nothing is called; a call with any other arguments stays a call.
 *
 * @see https://github.com/python/cpython/blob/main/Lib/pickle.py save_bytes, save_set, save_frozenset, save_bytearray, save_reduce
 */
type Fold = (machine: Machine, args: readonly PickleValue[]) => PickleNode | Uint8Array | undefined;

const FOLDS: ReadonlyMap<string, Fold> = new Map<string, Fold>([
  ["_codecs.encode", encode],
  ["builtins.bytes", (_machine, args) => (args.length === 0 ? new Uint8Array(0) : undefined)],
  ["builtins.bytearray", bytearray],
  ["builtins.set", (machine, args) => setOf(machine, args, "set")],
  ["builtins.frozenset", (machine, args) => setOf(machine, args, "frozenset")],
  ["copyreg.__newobj__", newobj],
  ["copyreg.__newobj_ex__", newobjEx],
]);

/** Modules that have a row in the table: most globals are of others, and need no look-up. */
const MODULES = new Set(["_codecs", "builtins", "copyreg"]);

/** The value that a call of a built-in constructor stands for; undefined for every other call. */
export function fold(machine: Machine, callable: PickleGlobal, args: readonly PickleValue[]): PickleNode | Uint8Array | undefined {
  if (!MODULES.has(callable.module)) return undefined;
  return FOLDS.get(`${callable.module}.${callable.name}`)?.(machine, args);
}

/**
 * A pickler gives every item of a folded call once, so what is copied never exceeds the stream. Streams that give one long list to
 * thousands of calls, to make memory explode, keep their calls.
 */
function mayCopy(machine: Machine, amount: number): boolean {
  if (machine.copied + amount > machine.pos - machine.start) return false;
  machine.copied += amount;
  return true;
}

function encode(machine: Machine, args: readonly PickleValue[]): Uint8Array | undefined {
  const [text, encoding] = args;
  if (args.length !== 2 || typeof text !== "string" || (encoding !== "latin1" && encoding !== "latin-1")) return undefined;
  return mayCopy(machine, text.length) ? encodeLatin1(text) : undefined;
}

function bytearray(machine: Machine, args: readonly PickleValue[]): PickleNode | undefined {
  if (args.length === 0) return { kind: "bytearray", bytes: new Uint8Array(0) };
  // Python 2 and early Python 3 give the text and its encoding.
  const bytes = args.length === 1 ? args[0] : encode(machine, args);
  return bytes instanceof Uint8Array ? { kind: "bytearray", bytes } : undefined;
}

function setOf(machine: Machine, args: readonly PickleValue[], kind: PickleSet["kind"]): PickleSet | undefined {
  const [list] = args;
  if (args.length === 0) return { kind, items: [] };
  if (args.length !== 1 || !isPickleNode(list) || list.kind !== "list" || !mayCopy(machine, list.items.length)) return undefined;
  const set: PickleSet = { kind, items: [] };
  addToSet(machine, set, set.items, list.items);
  return set;
}

function newobj(machine: Machine, args: readonly PickleValue[]): PickleCall | undefined {
  const [callable, ...rest] = args;
  if (callable === undefined || !mayCopy(machine, rest.length)) return undefined;
  return { kind: "call", callable, args: rest, kwargs: undefined, star: undefined, via: "NEWOBJ", ...UNFILLED };
}

function newobjEx(_machine: Machine, args: readonly PickleValue[]): PickleCall | undefined {
  const [callable, positional, kwargs] = args;
  if (args.length !== 3 || callable === undefined || !isPickleNode(positional) || positional.kind !== "tuple") return undefined;
  return { kind: "call", callable, args: positional.items, kwargs, star: undefined, via: "NEWOBJ_EX", ...UNFILLED };
}

/** The rest of a call node: every one has the same fields in the same order, which keeps reading fast. */
const UNFILLED = { states: undefined, items: undefined, keysAndValues: undefined, setItems: undefined } as const;
