import { buildFse } from "./fse.js";

// Tables of RFC 8878, sections 3.1.1.3.2.1 and 3.1.1.3.2.2.

/** The least length that a code stands for, and the bits of what is added to it. */
const expand = (
  plain: number,
  first: number,
  rest: readonly (readonly [bits: number, count: number])[],
): { base: Uint32Array; bits: Uint8Array } => {
  const bits = [...new Array<number>(plain).fill(0), ...rest.flatMap(([width, count]) => new Array<number>(count).fill(width))];
  let next = first;
  const base = bits.map((width) => {
    const from = next;
    next += 2 ** width;
    return from;
  });
  return { base: Uint32Array.from(base), bits: Uint8Array.from(bits) };
};

/** Lengths of literals by their codes. */
export const LITERAL_LENGTHS = /* @__PURE__ */ expand(16, 0, [
  [1, 4],
  [2, 2],
  [3, 2],
  [4, 1],
  ...Array.from({ length: 11 }, (_, index): [number, number] => [index + 6, 1]),
]);

/** Lengths of matches by their codes. */
export const MATCH_LENGTHS = /* @__PURE__ */ expand(32, 3, [
  [1, 4],
  [2, 2],
  [3, 2],
  [4, 2],
  [5, 1],
  ...Array.from({ length: 10 }, (_, index): [number, number] => [index + 7, 1]),
]);

const times = (value: number, count: number): number[] => new Array<number>(count).fill(value);

/** The tables that are used when a block describes none. */
export const PREDEFINED = /* @__PURE__ */ (() => ({
  literals: buildFse([4, 3, ...times(2, 11), ...times(1, 3), ...times(2, 9), 3, 2, ...times(1, 5), ...times(-1, 4)], 6),
  offsets: buildFse([...times(1, 6), 2, 2, 2, ...times(1, 15), ...times(-1, 5)], 5),
  matches: buildFse([1, 4, 3, ...times(2, 6), ...times(1, 37), ...times(-1, 7)], 6),
}))();
