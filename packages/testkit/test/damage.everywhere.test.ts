import { damage, patternBytes, seededRandom } from "@ckptkit/testkit";
import { describe, expect, it } from "vitest";

const original = patternBytes(20_000);

describe("damage", () => {
  it("gives the same damage for the same seed, and leaves the original alone", () => {
    const before = original.slice();
    for (let seed = 0; seed < 50; seed++) expect(damage(original, seed).description).toBe(damage(original, seed).description);
    expect(damage(original, 3).bytes).toEqual(damage(original, 3).bytes);
    expect(original).toEqual(before);
  });

  it("changes nearly every copy, in many ways", () => {
    const all = Array.from({ length: 500 }, (_, seed) => damage(original, seed));
    const same = all.filter(({ bytes }) => bytes.length === original.length && bytes.every((byte, at) => byte === original[at]));
    expect(same.length).toBeLessThan(10);
    const kinds = new Set(all.map(({ description }) => /: (\w+)/.exec(description)?.[1]));
    expect([...kinds].sort()).toEqual(["cut", "doubled", "dropped", "flipped", "overwrote", "set", "zeroed"]);
  });

  it("takes files of no and of few bytes", () => {
    expect(damage(new Uint8Array(0), 1).bytes.length).toBe(0);
    for (let seed = 0; seed < 200; seed++) expect(damage(new Uint8Array([7]), seed).bytes.length).toBeLessThanOrEqual(2);
  });

  it("names the seed", () => {
    expect(damage(original, 41).description).toMatch(/^seed 41: /);
  });
});

describe("seededRandom", () => {
  it("stays within its bound and reaches all of it", () => {
    const random = seededRandom(5);
    const seen = new Set(Array.from({ length: 500 }, () => random.integer(7)));
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  it("gives different numbers for neighbouring seeds", () => {
    const first = Array.from({ length: 100 }, (_, seed) => seededRandom(seed).integer(1_000_000));
    expect(new Set(first).size).toBeGreaterThan(95);
  });
});
