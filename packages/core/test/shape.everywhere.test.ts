import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { contiguousStrides, countElements, isContiguous, reachOf } from "../src/index.js";
import { elementsNeeded, views } from "./strided.js";

const outOfBounds = expect.objectContaining({ code: "TENSOR_OUT_OF_BOUNDS" });

describe("countElements", () => {
  it("multiplies sizes; a 0-d tensor has one element, an empty axis makes none", () => {
    expect(countElements([])).toBe(1);
    expect(countElements([2, 3, 4])).toBe(24);
    expect(countElements([5, 0, 7])).toBe(0);
  });

  it("is exact up to 2^53 - 1 and refuses what is beyond", () => {
    expect(countElements([6361, 69431, 20394401])).toBe(Number.MAX_SAFE_INTEGER);
    expect(() => countElements([2 ** 27, 2 ** 26])).toThrow(outOfBounds);
    expect(() => countElements([2 ** 53])).toThrow(outOfBounds);
  });

  it("refuses what torch refuses: an empty tensor whose strides would overflow", () => {
    expect(() => countElements([0, 2 ** 40, 2 ** 40])).toThrow(outOfBounds);
    expect(() => countElements([2 ** 40, 2 ** 40, 0])).toThrow(outOfBounds);
  });

  it.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])("refuses the size %d", (size) => {
    expect(() => countElements([2, size])).toThrow(outOfBounds);
    expect(() => countElements([0, size])).toThrow(outOfBounds);
  });
});

describe("contiguousStrides", () => {
  it("gives the strides of torch.empty(shape).stride()", () => {
    // Values printed by torch 2.13.
    expect(contiguousStrides([2, 3, 4])).toEqual([12, 4, 1]);
    expect(contiguousStrides([0, 2 ** 40, 2 ** 20])).toEqual([2 ** 60, 2 ** 20, 1]);
    expect(contiguousStrides([2, 0, 3])).toEqual([3, 3, 1]);
    expect(contiguousStrides([])).toEqual([]);
  });

  it("makes views that are contiguous and reach over exactly their elements (property)", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 6 }), (shape) => {
        const strides = contiguousStrides(shape);
        expect(isContiguous(shape, strides)).toBe(true);
        expect(reachOf(shape, strides)).toBe(countElements(shape));
      }),
    );
  });
});

describe("isContiguous", () => {
  it("asks nothing of the strides of axes of size 1, nor of empty tensors", () => {
    expect(isContiguous([3, 1, 4], [4, 999, 1])).toBe(true);
    expect(isContiguous([3, 0], [7, 7])).toBe(true);
    expect(isContiguous([], [])).toBe(true);
  });

  it("tells transposed, expanded and padded views apart from row-major ones", () => {
    expect(isContiguous([2, 3], [1, 2])).toBe(false);
    expect(isContiguous([2, 3], [0, 1])).toBe(false);
    expect(isContiguous([2, 3], [4, 1])).toBe(false);
    expect(isContiguous([2, 3], [6, 2])).toBe(false);
  });
});

describe("reachOf", () => {
  it("is the distance from the first element to the last, whatever the strides (property)", () => {
    fc.assert(
      fc.property(views, (view) => {
        expect(reachOf(view.shape, view.strides) + view.offset).toBe(elementsNeeded(view));
      }),
    );
  });

  it("refuses negative, fractional and missing strides, and a reach beyond 2^53 - 1", () => {
    for (const strides of [[-1], [0.5], [Number.NaN], []]) expect(() => reachOf([2], strides)).toThrow(outOfBounds);
    expect(() => reachOf([3, 3], [2 ** 52, 2 ** 52])).toThrow(outOfBounds);
    expect(reachOf([0, 3], [-1, 0.5])).toBe(0);
  });
});
