import { addEntries, addToSet } from "./entries.js";
import { fold } from "./fold.js";
import { kindOf, type Machine } from "./machine.js";
import { isPickleNode, type PickleCall, type PickleCallVia, type PickleFilled, type PickleValue } from "./values.js";

/** The opcodes that call, construct or change objects: all of them only write down what Python would have done. */

/** Pushes a call. `args` is shared with the tuple that it comes from. */
export function pushCall(machine: Machine, callable: PickleValue, args: PickleValue, via: PickleCallVia, kwargs?: PickleValue): void {
  if (isPickleNode(args) && args.kind === "tuple") {
    pushPlainCall(machine, callable, args.items, via, kwargs);
    return;
  }
  machine.note(
    "pickle-opaque-arguments",
    "warning",
    `The arguments of ${kindOf(callable)} are ${kindOf(args)}, no tuple: they are not known.`,
  );
  pushPlainCall(machine, callable, [], via, kwargs, args);
}

export function pushPlainCall(
  machine: Machine,
  callable: PickleValue,
  args: PickleValue[],
  via: PickleCallVia,
  kwargs?: PickleValue,
  star?: PickleValue,
): void {
  machine.built();
  const call: PickleCall = {
    kind: "call",
    callable,
    args,
    kwargs,
    star,
    via,
    states: undefined,
    items: undefined,
    keysAndValues: undefined,
    setItems: undefined,
  };
  const folds = via === "REDUCE" && star === undefined && isPickleNode(callable) && callable.kind === "global";
  const value = folds ? (fold(machine, callable, args) ?? call) : call;
  if (!isPickleNode(value) || value.kind !== "call") machine.push(value);
  else {
    machine.calls.push(value);
    machine.callOffsets?.push(machine.at);
    machine.push(value);
  }
}

/** BUILD: the state on top goes to the object below it. */
export function build(machine: Machine): void {
  const state = machine.pop();
  const target = machine.top();
  if (!isPickleNode(target) || target.kind === "real") {
    machine.note("pickle-build", "error", `BUILD sets the attributes of a plain ${kindOf(target)}: Python would fail.`);
    return;
  }
  if (target.kind === "global") {
    machine.note("pickle-build-global", "error", `BUILD changes ${kindOf(target)} itself: no pickler writes that.`);
  } else if (target.kind !== "call" && target.kind !== "persistent") {
    machine.note("pickle-build", "warning", `BUILD sets the attributes of a plain ${kindOf(target)}: no pickler writes that.`);
  }
  if (target.states) target.states.push(state);
  else target.states = [state];
  if (machine.rawBytes) machine.skipRaw(target);
}

/** The node below, when it is a thing of which only a name is known: anything may be done to it, and is recorded. */
function opaque(machine: Machine, target: PickleValue, expected: string): PickleFilled {
  const known = isPickleNode(target) && (target.kind === "call" || target.kind === "persistent" || target.kind === "buffer");
  if (known) return target;
  if (!isPickleNode(target) || target.kind !== "global") throw machine.corrupt(`${expected} below the items`, kindOf(target));
  machine.note("pickle-global-changed", "error", `Items are put into ${kindOf(target)} itself: no pickler writes that.`);
  return target;
}

/** APPEND and APPENDS: the values in [from, depth) go to the object below them. */
export function append(machine: Machine, from: number): void {
  const items = machine.stack.slice(from, machine.depth);
  machine.depth = from;
  const target = machine.top();
  if (isPickleNode(target) && target.kind === "list") {
    if (target.items.length === 0) target.items = items;
    else for (const item of items) target.items.push(item);
    return;
  }
  const filled = opaque(machine, target, "a list");
  if (filled.items) for (const item of items) filled.items.push(item);
  else filled.items = items;
}

/** SETITEM and SETITEMS: the pairs in [from, depth) go to the object below them. */
export function setItems(machine: Machine, from: number): void {
  const to = machine.depth;
  if ((to - from) % 2 !== 0) throw machine.corrupt("keys and values in pairs", `${to - from} values`);
  machine.depth = from;
  const target = machine.top();
  if (isPickleNode(target) && target.kind === "dict") {
    target.keysAndValues = addEntries(machine, target, target.keysAndValues, from, to);
  } else {
    const filled = opaque(machine, target, "a dict");
    filled.keysAndValues = addEntries(machine, filled, filled.keysAndValues ?? [], from, to);
  }
}

/** ADDITEMS: the values above the MARK go to the set below it. */
export function addItems(machine: Machine): void {
  const added = machine.popToMark();
  const target = machine.top();
  if (isPickleNode(target) && target.kind === "set") addToSet(machine, target, target.items, added);
  else {
    const filled = opaque(machine, target, "a set");
    filled.setItems ??= [];
    for (const item of added) filled.setItems.push(item);
  }
}
