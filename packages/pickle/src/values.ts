import type { RealNode } from "@ckptkit/core";

/**
 * Any value of a pickle, as inert data.
 *
 * A Python int is a `number`, or a `bigint` beyond 2^53 - 1. A Python float is a `number`, or a `RealNode` where its value is
 * integral, so that 1 and 1.0 stay apart. Python's bytes are a `Uint8Array`. Everything else is a node.
 */
export type PickleValue = null | boolean | number | bigint | string | Uint8Array | PickleNode;

/** The values that have a `kind`. Nodes may be shared and may form cycles. */
export type PickleNode =
  | RealNode
  | PickleDict
  | PickleList
  | PickleTuple
  | PickleSet
  | PickleByteArray
  | PickleGlobal
  | PickleCall
  | PicklePersistent
  | PickleBuffer;

/** One key of a mapping and its value. */
export type PickleEntry = [key: PickleValue, value: PickleValue];

/** What BUILD may leave on a node. */
export interface PickleBuilt {
  /** The states that BUILD handed over, in their order. One at the most, in what picklers write. */
  states?: PickleValue[] | undefined;
}

/** What may be done to an object whose class is only a name: it is recorded here, and not interpreted. */
export interface PickleFilled extends PickleBuilt {
  /** Appended by APPEND and APPENDS. */
  items?: PickleValue[] | undefined;
  /** Set by SETITEM and SETITEMS, keys and values by turns; equal keys are merged as in a dict. */
  keysAndValues?: PickleValue[] | undefined;
  /** Added by ADDITEMS. */
  setItems?: PickleValue[] | undefined;
}

/** A dict. Keys that are equal in Python are merged: the first one's place, the last one's value. */
export interface PickleDict extends PickleBuilt {
  readonly kind: "dict";
  /** Key, value, key, value: half the memory of an array for each pair, which {@link entriesOf} makes. */
  keysAndValues: PickleValue[];
}

/** A list. */
export interface PickleList extends PickleBuilt {
  readonly kind: "list";
  items: PickleValue[];
}

/** A tuple. */
export interface PickleTuple extends PickleBuilt {
  readonly kind: "tuple";
  readonly items: PickleValue[];
}

/** A set or frozenset, its items in the stream's order and without equal ones. */
export interface PickleSet extends PickleBuilt {
  readonly kind: "set" | "frozenset";
  items: PickleValue[];
}

/** A bytearray. */
export interface PickleByteArray extends PickleBuilt {
  readonly kind: "bytearray";
  readonly bytes: Uint8Array;
}

/** The name of a class, function or other thing of a module. Uses of one name share one node. */
export interface PickleGlobal extends PickleFilled {
  readonly kind: "global";
  /** As Python 3 calls it: see `normalizeGlobal`. */
  readonly module: string;
  /** May be dotted from protocol 4 on. */
  readonly name: string;
}

/** The opcode by which a call came about. */
export type PickleCallVia = "REDUCE" | "NEWOBJ" | "NEWOBJ_EX" | "OBJ" | "INST";

/** A call or construction that Python would have carried out. Nothing was called: this is its description. */
export interface PickleCall extends PickleFilled {
  readonly kind: "call";
  readonly callable: PickleValue;
  readonly args: PickleValue[];
  /** Keyword arguments of NEWOBJ_EX: a dict, in what picklers write. */
  readonly kwargs?: PickleValue | undefined;
  /**
   * Stands for the arguments where the stream gives no literal tuple but, say, the result of another call: Python would have
   * unpacked it, as in `callable(*star)`. `args` is empty then.
   */
  readonly star?: PickleValue | undefined;
  readonly via: PickleCallVia;
}

/** A reference to something outside of the pickle, such as a tensor's storage. */
export interface PicklePersistent extends PickleFilled {
  readonly kind: "persistent";
  readonly id: PickleValue;
}

/** A protocol 5 buffer that is kept outside of the pickle and so cannot be shown. */
export interface PickleBuffer extends PickleFilled {
  readonly kind: "buffer";
  /** Which of the out-of-band buffers, from 0. */
  readonly index: number;
  readonly: boolean;
}

/**
 * The pairs of keys and values that stand by turns.
 *
 * @example for (const [key, value] of entriesOf(dict.keysAndValues)) console.log(key, value);
 */
export function entriesOf(keysAndValues: readonly PickleValue[]): PickleEntry[] {
  const entries: PickleEntry[] = [];
  for (let at = 0; at + 1 < keysAndValues.length; at += 2) entries.push([keysAndValues[at] ?? null, keysAndValues[at + 1] ?? null]);
  return entries;
}

/**
 * The value under a key that is text, a number, a boolean or None; undefined where there is none.
 *
 * @example const sizes = valueAtKey(dict, "type_sizes");
 */
export function valueAtKey({ keysAndValues }: PickleDict, key: string | number | boolean | null): PickleValue | undefined {
  for (let at = 0; at + 1 < keysAndValues.length; at += 2) if (keysAndValues[at] === key) return keysAndValues[at + 1];
  return undefined;
}

/** Whether a value is one of the nodes that have a `kind`. */
export function isPickleNode(value: PickleValue | undefined): value is PickleNode {
  return typeof value === "object" && value !== null && !(value instanceof Uint8Array);
}

/**
 * The dotted name of a global, `module.name`; undefined for every other value.
 *
 * @example dottedName({ kind: "global", module: "collections", name: "OrderedDict" }) // "collections.OrderedDict"
 */
export function dottedName(value: PickleValue | undefined): string | undefined {
  return isPickleNode(value) && value.kind === "global" ? `${value.module}.${value.name}` : undefined;
}
