import type { PickleCall, PickleGlobal, PickleValue } from "@ckptkit/pickle";

/** A global by its dotted name. */
export const global = (dotted: string): PickleGlobal => {
  const cut = dotted.lastIndexOf(".");
  return { kind: "global", module: dotted.slice(0, cut), name: dotted.slice(cut + 1) };
};

/** A tuple of these values. */
export const tuple = (...items: PickleValue[]): PickleValue => ({ kind: "tuple", items });

/** A call of a global by REDUCE. */
export const call = (dotted: string, ...args: PickleValue[]): PickleCall => ({
  kind: "call",
  via: "REDUCE",
  callable: global(dotted),
  args,
});
