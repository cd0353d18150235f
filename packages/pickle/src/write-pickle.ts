import { OPCODES, type Opcode } from "./opcodes.js";
import { type Atom, invalid, isAtom, PickleOutput } from "./pickle-output.js";
import type { PickleCall, PickleFilled, PickleNode, PickleTuple, PickleValue } from "./values.js";

/** How a pickle is written. */
export interface WritePickleOptions {
  /** torch.save's default, and the only one that its restricted loader reads without a warning. */
  protocol?: 2;
}

/**
 * Writes a value as a pickle of protocol 2, in the way of CPython's pickler and with the opcodes that
 * `torch.load(weights_only=True)` knows. Nodes that appear more than once are written once, so shared nodes and cycles survive.
 * Bytes, sets, frozensets and bytearrays are written as the calls that protocol 2 has for them.
 *
 * @throws {CheckpointConfigError} INVALID_ARGUMENT for what a pickle of protocol 2 cannot hold: out-of-band buffers, items added to
 *   an unknown set, changed globals, names with line feeds, a value that is its own constructor's argument, numbers beyond 2^53 - 1
 *   that are neither a bigint nor a RealNode.
 * @see https://github.com/python/cpython/blob/main/Lib/pickle.py class _Pickler
 * @example
 * const bytes = writePickle({ kind: "dict", keysAndValues: ["epoch", 3] });
 */
export function writePickle(value: PickleValue, _options: WritePickleOptions = {}): Uint8Array & { readonly buffer: ArrayBuffer } {
  return new PickleWriter().write(value);
}

/** Items between a MARK and its APPENDS or SETITEMS. @see Lib/pickle.py _BATCHSIZE */
const BATCH = 1000;

/** Lists, dicts and objects through which a tuple may contain itself: each makes one more copy, which is thrown away. */
const CYCLES = 100;

/** Something to be done between the members of a node. */
class Step {
  constructor(readonly run: (writer: PickleWriter) => void) {}
}

const opcode = (code: Opcode): Step => new Step((writer) => writer.out.op(code));
const MARK = opcode(OPCODES.MARK);
const APPEND = opcode(OPCODES.APPEND);
const APPENDS = opcode(OPCODES.APPENDS);
const SETITEM = opcode(OPCODES.SETITEM);
const SETITEMS = opcode(OPCODES.SETITEMS);
const REDUCE = opcode(OPCODES.REDUCE);
const NEWOBJ = opcode(OPCODES.NEWOBJ);
const OBJ = opcode(OPCODES.OBJ);
const BUILD = opcode(OPCODES.BUILD);
const BINPERSID = opcode(OPCODES.BINPERSID);
const PUT = new Step((writer) => writer.out.put());
const TUPLE = opcode(OPCODES.TUPLE);
const EMPTY_TUPLE = opcode(OPCODES.EMPTY_TUPLE);
const TUPLE1 = opcode(OPCODES.TUPLE1);
const TUPLE3 = opcode(OPCODES.TUPLE3);
const SHORT_TUPLES = [EMPTY_TUPLE, TUPLE1, opcode(OPCODES.TUPLE2), TUPLE3];

/** What makes up a node: its members and what is written between them, in order. */
type Plan = (PickleValue | Step)[];

/** Writes without recursion, over a stack of what is still to do: nesting may be of any depth. */
class PickleWriter {
  readonly out = new PickleOutput();
  /** The next thing to do is the last one. */
  readonly #todo: Plan = [];
  /** How often a node was begun again inside of itself. */
  readonly #again = new Map<object, number>();

  write(root: PickleValue): Uint8Array<ArrayBuffer> {
    this.#value(root);
    while (this.#todo.length > 0) {
      const next = this.#todo.pop();
      if (next instanceof Step) next.run(this);
      else if (next === undefined) throw invalid("A list, dict or tuple has an undefined member.");
      else this.#value(next);
    }
    return this.out.finish();
  }

  #plan(plan: Plan): void {
    for (let index = plan.length - 1; index >= 0; index--) {
      const next = plan[index];
      if (next === undefined) throw invalid("A list, dict, tuple or call has an undefined member.");
      this.#todo.push(next);
    }
  }

  #value(value: PickleValue): void {
    if (isAtom(value)) this.out.atom(value);
    else if (!this.out.known(value)) this.#node(value);
  }

  #node(node: Exclude<PickleNode, Atom>): void {
    switch (node.kind) {
      case "dict":
        this.out.op(OPCODES.EMPTY_DICT);
        this.out.remember(node);
        this.#plan([...pairs(node.keysAndValues), ...states(node)]);
        break;
      case "list":
        this.out.op(OPCODES.EMPTY_LIST);
        this.out.remember(node);
        this.#plan([...batches(node.items, APPEND, APPENDS), ...states(node)]);
        break;
      case "tuple":
        this.#tuple(node);
        break;
      case "set":
      case "frozenset":
        this.#late(node, [builtin(node.kind), { kind: "list", items: node.items }, TUPLE1, PUT, REDUCE]);
        break;
      case "bytearray":
        this.#late(node, [builtin("bytearray"), ...(node.bytes.length > 0 ? [node.bytes, TUPLE1, PUT] : [EMPTY_TUPLE]), REDUCE]);
        break;
      case "persistent":
        // Without a slot, as in CPython: every mention asks the loader anew.
        this.#begin(node);
        this.#plan([node.id, BINPERSID, new Step(() => this.out.forget(node)), ...filling(node)]);
        break;
      case "call":
        this.#late(node, call(node), filling(node));
        break;
      default:
        throw invalid(`A ${node.kind} cannot be written.`);
    }
  }

  #tuple(node: PickleTuple): void {
    if (!node.items.every(isAtom)) {
      this.#late(node, tuple(node.items), states(node));
      return;
    }
    // Nearly all tuples are of this kind (sizes, strides, storage ids), and nothing in them can lead back to them.
    for (const next of tuple(node.items)) {
      if (next instanceof Step) next.run(this);
      else this.#value(next);
    }
    if (node.items.length > 0 || node.states) this.out.remember(node);
    this.#plan(states(node));
  }

  /** A node that exists, and so gets its slot, only when its members have been written. */
  #late(node: PickleNode, members: Plan, rest: Plan = states(node)): void {
    this.#begin(node);
    this.#plan([...members, new Step(() => this.#complete(node, rest))]);
  }

  /** A tuple may be begun again inside of itself, through a list that has a slot by then. Without a new slot it would never end. */
  #begin(node: PickleNode): void {
    const slots = this.out.begin(node);
    if (slots === undefined) return;
    if (slots === this.out.slots) throw invalid(`A ${node.kind} is its own member or argument, which no pickle can say.`);
    const times = (this.#again.get(node) ?? 0) + 1;
    if (times > CYCLES) throw invalid(`A ${node.kind} contains itself in more than ${CYCLES} ways.`);
    this.#again.set(node, times);
  }

  #complete(node: PickleNode, rest: Plan): void {
    if (this.out.has(node)) {
      // It was completed inside of itself: like CPython, throw this copy away and take that one.
      this.out.op(OPCODES.POP);
      this.out.known(node);
    } else {
      this.out.remember(node);
      this.#plan(rest);
    }
  }
}

function builtin(name: string): PickleValue {
  return { kind: "global", module: "builtins", name };
}

/** A tuple of these items, without a slot. */
function tuple(items: readonly PickleValue[]): Plan {
  const short = SHORT_TUPLES[items.length];
  return short ? [...items, short] : [MARK, ...items, TUPLE];
}

/** The arguments of a call: a tuple that nothing else refers to, though CPython gives it a slot. */
function args(node: PickleCall): Plan {
  if (node.star !== undefined) return [node.star];
  return node.args.length > 0 ? [...tuple(node.args), PUT] : [EMPTY_TUPLE];
}

function call(node: PickleCall): Plan {
  const { callable, via, kwargs } = node;
  if (via === "NEWOBJ_EX" && kwargs !== undefined) {
    // Protocol 2 has no NEWOBJ_EX: the function that means the same.
    const newobjEx: PickleValue = { kind: "global", module: "copyreg", name: "__newobj_ex__" };
    return [newobjEx, callable, ...args(node), kwargs, TUPLE3, PUT, REDUCE];
  }
  if ((via === "OBJ" || via === "INST") && node.star === undefined) return [MARK, callable, ...node.args, OBJ];
  return [callable, ...args(node), via === "NEWOBJ" || via === "NEWOBJ_EX" ? NEWOBJ : REDUCE];
}

/** What is put into an object after it was made. */
function filling(node: PickleFilled): Plan {
  if (node.setItems?.length) throw invalid("Protocol 2 cannot add items to a set of an unknown class.");
  return [...batches(node.items ?? [], APPEND, APPENDS), ...pairs(node.keysAndValues ?? []), ...states(node)];
}

function states(node: object): Plan {
  return "states" in node && Array.isArray(node.states) ? node.states.flatMap((state: PickleValue) => [state, BUILD]) : [];
}

function pairs(keysAndValues: readonly PickleValue[]): Plan {
  const plan: Plan = [];
  for (let from = 0; from < keysAndValues.length; from += 2 * BATCH) {
    const batch = keysAndValues.slice(from, from + 2 * BATCH);
    if (batch.length > 2) plan.push(MARK, ...batch, SETITEMS);
    else plan.push(...batch, SETITEM);
  }
  return plan;
}

function batches(items: readonly PickleValue[], one: Step, many: Step): Plan {
  const plan: Plan = [];
  for (let from = 0; from < items.length; from += BATCH) {
    const batch = items.slice(from, from + BATCH);
    if (batch.length > 1) plan.push(MARK, ...batch, many);
    else plan.push(...batch, one);
  }
  return plan;
}
