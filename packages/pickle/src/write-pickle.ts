import { invalid, PickleOutput } from "./pickle-output.js";
import type { PickleCall, PickleEntry, PickleFilled, PickleNode, PickleTuple, PickleValue } from "./values.js";

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
 * const bytes = writePickle({ kind: "dict", entries: [["epoch", 3]] });
 */
export function writePickle(value: PickleValue, _options: WritePickleOptions = {}): Uint8Array<ArrayBuffer> {
  return new PickleWriter().write(value);
}

/** Items between a MARK and its APPENDS or SETITEMS. @see Lib/pickle.py _BATCHSIZE */
const BATCH = 1000;

/** Lists, dicts and objects through which a tuple may contain itself: each makes one more copy, which is thrown away. */
const CYCLES = 100;

/** A node in work: it yields its members at the places where they belong. No recursion, so nesting may be of any depth. */
type Steps = Generator<PickleValue, void, void>;

class PickleWriter {
  readonly #out = new PickleOutput();
  /** Nodes in work that have no slot yet: how often each was begun, and the number of slots at the last time. */
  readonly #begun = new Map<object, { times: number; slots: number }>();

  write(root: PickleValue): Uint8Array<ArrayBuffer> {
    const work: { steps: Steps; node: PickleNode }[] = [];
    let next: PickleValue | undefined = root;
    for (;;) {
      if (next !== undefined) {
        const node = this.#plain(next);
        if (node) work.push({ steps: this.#begin(node), node });
      }
      const current = work.at(-1);
      if (!current) break;
      const step = current.steps.next();
      next = undefined;
      if (step.done) {
        work.pop();
        this.#begun.delete(current.node);
      } else if (step.value === undefined) throw invalid(`A ${current.node.kind} has an undefined member.`);
      else next = step.value;
    }
    return this.#out.finish();
  }

  /** Writes a value without members, or one that was written before. Gives back the nodes that need more. */
  #plain(value: PickleValue): PickleNode | undefined {
    if (value === null) this.#out.op("NONE");
    else if (typeof value === "boolean") this.#out.op(value ? "NEWTRUE" : "NEWFALSE");
    else if (typeof value === "string") this.#out.string(value);
    else if (typeof value === "number") this.#out.number(value);
    else if (typeof value === "bigint") this.#out.integer(value);
    else if (value instanceof Uint8Array) this.#out.known(value) || this.#out.bytes(value);
    else if (value.kind === "real") this.#out.float(value.value);
    else if (value.kind === "global") this.#out.global(value);
    else return this.#out.known(value) ? undefined : value;
    return undefined;
  }

  #begin(node: PickleNode): Steps {
    // A tuple may be begun again inside of itself, through a list that has a slot by then. Without a new slot it would never end.
    const { times, slots } = this.#begun.get(node) ?? { times: 0, slots: -1 };
    if (slots === this.#out.slots) throw invalid(`A ${node.kind} is its own member or argument, which no pickle can say.`);
    if (times === CYCLES) throw invalid(`A ${node.kind} contains itself in more than ${CYCLES} ways.`);
    this.#begun.set(node, { times: times + 1, slots: this.#out.slots });
    switch (node.kind) {
      case "dict":
        return this.#dict(node);
      case "list":
        return this.#list(node);
      case "tuple":
        return this.#tuple(node);
      case "call":
        return this.#call(node);
      case "set":
      case "frozenset":
        return this.#builtin(node, node.kind, { kind: "list", items: node.items });
      case "bytearray":
        return this.#builtin(node, "bytearray", node.bytes);
      case "persistent":
        return this.#persistent(node);
      default:
        throw invalid(`A ${node.kind} cannot be written.`);
    }
  }

  *#dict(node: Extract<PickleNode, { kind: "dict" }>): Steps {
    this.#out.op("EMPTY_DICT");
    this.#out.remember(node);
    yield* this.#setItems(node.entries);
    yield* this.#states(node.states);
  }

  *#list(node: Extract<PickleNode, { kind: "list" }>): Steps {
    this.#out.op("EMPTY_LIST");
    this.#out.remember(node);
    yield* this.#append(node.items);
    yield* this.#states(node.states);
  }

  *#tuple(node: PickleTuple): Steps {
    yield* this.#items(node.items);
    // A tuple that was completed inside of itself: CPython throws this copy away, too.
    if (this.#completedInside(node)) return;
    if (node.items.length > 0 || node.states) this.#out.remember(node);
    yield* this.#states(node.states);
  }

  /** A tuple of these items, without a slot. */
  *#items(items: readonly PickleValue[]): Steps {
    const short = (["EMPTY_TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"] as const)[items.length];
    if (!short) this.#out.op("MARK");
    yield* items;
    this.#out.op(short ?? "TUPLE");
  }

  #completedInside(node: PickleNode): boolean {
    if (!this.#out.has(node)) return false;
    this.#out.op("POP");
    return this.#out.known(node);
  }

  /** A value of Python's own for which protocol 2 has no opcode. */
  *#builtin(node: PickleNode, name: string, argument: PickleValue): Steps {
    this.#out.global({ kind: "global", module: "builtins", name });
    yield argument;
    this.#out.op("TUPLE1");
    this.#out.op("REDUCE");
    if (this.#completedInside(node)) return;
    this.#out.remember(node);
    if ("states" in node) yield* this.#states(node.states);
  }

  *#persistent(node: Extract<PickleNode, { kind: "persistent" }>): Steps {
    yield node.id;
    this.#out.op("BINPERSID");
    if (this.#completedInside(node)) return;
    this.#out.remember(node);
    yield* this.#fill(node);
  }

  *#call(node: PickleCall): Steps {
    const { callable, args, via, star, kwargs } = node;
    const positional: PickleValue = star ?? { kind: "tuple", items: args };
    if (via === "NEWOBJ_EX" && kwargs !== undefined) {
      // Protocol 2 has no NEWOBJ_EX: the function that means the same.
      this.#out.global({ kind: "global", module: "copyreg", name: "__newobj_ex__" });
      yield* this.#items([callable, positional, kwargs]);
      this.#out.op("REDUCE");
    } else if ((via === "OBJ" || via === "INST") && star === undefined) {
      this.#out.op("MARK");
      yield callable;
      yield* args;
      this.#out.op("OBJ");
    } else {
      yield callable;
      if (star === undefined) yield* this.#items(args);
      else yield star;
      this.#out.op(via === "NEWOBJ" || via === "NEWOBJ_EX" ? "NEWOBJ" : "REDUCE");
    }
    if (this.#completedInside(node)) return;
    this.#out.remember(node);
    yield* this.#fill(node);
  }

  *#fill(node: PickleFilled): Steps {
    if (node.setItems?.length) throw invalid("Protocol 2 cannot add items to a set of an unknown class.");
    yield* this.#append(node.items ?? []);
    yield* this.#setItems(node.entries ?? []);
    yield* this.#states(node.states);
  }

  *#append(items: readonly PickleValue[]): Steps {
    for (let from = 0; from < items.length; from += BATCH) {
      const batch = items.slice(from, from + BATCH);
      if (batch.length > 1) this.#out.op("MARK");
      yield* batch;
      this.#out.op(batch.length > 1 ? "APPENDS" : "APPEND");
    }
  }

  *#setItems(entries: readonly PickleEntry[]): Steps {
    for (let from = 0; from < entries.length; from += BATCH) {
      const batch = entries.slice(from, from + BATCH);
      if (batch.length > 1) this.#out.op("MARK");
      for (const entry of batch) yield* entry;
      this.#out.op(batch.length > 1 ? "SETITEMS" : "SETITEM");
    }
  }

  *#states(states: readonly PickleValue[] | undefined): Steps {
    for (const state of states ?? []) {
      yield state;
      this.#out.op("BUILD");
    }
  }
}
