import { expectStatistics, type TensorTruth } from "@ckptkit/testkit";
import { describe, expect, it } from "vitest";

const truth: TensorTruth = {
  path: "w",
  keys: ["w"],
  dtype: "F32",
  shape: [4],
  nan: 1,
  posInf: 0,
  negInf: 0,
  zeros: 1,
  min: 0,
  max: 3,
  mean: 4 / 3,
  std: 1.247219128924647,
};
const found = { count: 4, nan: 1, posInf: 0, negInf: 0, zeros: 1, min: -0, max: 3, mean: 4 / 3 + 1e-15, std: 1.247219128924646 };

describe("expectStatistics", () => {
  it("accepts another order of summation and a zero of the other sign", () => {
    expectStatistics(found, truth);
  });

  it.each([
    ["a count", { nan: 0 }],
    ["the maximum", { max: 3.0000000001 }],
    ["the mean", { mean: 1.33333 }],
    ["the standard deviation", { std: 1.5275 }],
    ["a missing mean", { mean: null }],
  ])("refuses a wrong value: %s", (_, wrong) => {
    expect(() => expectStatistics({ ...found, ...wrong }, truth)).toThrow();
  });
});
