import fc from "fast-check";
import picomatch from "picomatch";
import { describe, expect, test } from "vitest";
import { globMatcher } from "../src/index.js";

/** Which of the names a glob chooses. */
const chosen = (pattern: string, ...names: string[]) => names.filter((name) => globMatcher(pattern)(name));

describe("globs", () => {
  test.each([
    ["*.attn.*.weight", ["blocks.0.attn.qkv.weight", "a.attn..weight"], ["attn.qkv.weight", "blocks.0.attn.qkv.bias"]],
    ["*", ["", "a", ".hidden", "a.b/c"], []],
    ["layer.?.bias", ["layer.3.bias", "layer./.bias", "layer.\u{1f600}.bias"], ["layer.12.bias", "layer..bias"]],
    ["*.{weight,bias}", ["a.weight", "a.b.bias"], ["a.weights", "weight"]],
    ["{enc,dec{0,1}}.w", ["enc.w", "dec0.w", "dec1.w"], ["dec.w", "enc0.w"]],
    ["h.[0-5].w", ["h.0.w", "h.5.w"], ["h.6.w", "h.-.w"]],
    ["h.[!0-5].w", ["h.6.w", "h.x.w"], ["h.3.w", "h.w"]],
    ["h.[^0-5].w", ["h.6.w"], ["h.3.w"]],
    ["[]x]", ["]", "x"], ["[", "[]x]"]],
    ["a[b", ["a[b"], ["ab"]],
    ["{a}", ["{a}"], ["a"]],
    ["{a,b", ["{a,b"], ["a", "b"]],
    ["a,b}", ["a,b}"], ["a"]],
    ["\\*.\\{x,y\\}", ["*.{x,y}"], ["a.x", "*.x"]],
    ["", [""], ["a"]],
  ])("%s", (pattern, yes, no) => {
    expect(chosen(pattern, ...yes)).toEqual(yes);
    expect(chosen(pattern, ...no)).toEqual([]);
  });

  test("they choose what picomatch chooses", () => {
    const character = fc.constantFrom("a", "b", "0", ".", "_", "é");
    const text = fc.string({ unit: character, minLength: 1, maxLength: 12 });
    const simple = fc.oneof(character, fc.constantFrom("*", "?", "[ab]", "[0-9]", "[^a]", "[a-b_]"));
    const several = fc.array(simple, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(""));
    const braces = (inner: fc.Arbitrary<string>) => fc.tuple(inner, inner).map(([a, b]) => `{${a},${b}}`);
    const part = fc.oneof({ weight: 3, arbitrary: several }, braces(several), braces(fc.oneof(several, braces(several))));
    const glob = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(glob, text, (pattern, name) => {
        // To picomatch these are a range, and folders that nothing matches.
        fc.pre(!pattern.includes("..") && name !== "." && name !== "..");
        const theirs = picomatch(pattern, { bash: true, dot: true, nonegate: true })(name);
        expect(globMatcher(pattern)(name)).toBe(theirs);
      }),
      { numRuns: 3000 },
    );
  });

  test("no pattern makes them slow", () => {
    const name = "a".repeat(20_000);
    const before = performance.now();
    expect(globMatcher(`${"*a".repeat(50)}b`)(name)).toBe(false);
    expect(globMatcher("{".repeat(50_000))(name)).toBe(false);
    expect(globMatcher(`${"{a,".repeat(1_000)}b${"}".repeat(1_000)}`)("b")).toBe(true);
    expect(performance.now() - before).toBeLessThan(5_000);
  });

  test("alternatives that spell too many texts are refused", () => {
    expect(() => globMatcher("{a,b}".repeat(40))).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
  });
});
