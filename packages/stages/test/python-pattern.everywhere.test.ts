import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pythonPattern } from "../src/lora/python-pattern.js";

/** What JavaScript's own engine says; for these patterns it means the same as Python's. */
const whole = (pattern: string, text: string): boolean => new RegExp(`^(?:${pattern})$`, "u").test(text);

describe("pythonPattern", () => {
  it.each([
    ["a|bc", "bc", true],
    ["a|bc", "abc", false],
    [String.raw`(.*\.)?(q_proj)$`, "model.layers.0.q_proj", true],
    [String.raw`(.*\.)?(q_proj)$`, "model.layers.0.xq_proj", false],
    [String.raw`(.*\.)?(^layers\.\d+\.up$)$`, "layers.12.up", true],
    [String.raw`(.*\.)?(^layers\.\d+\.up$)$`, "model.layers.12.up", false],
    [String.raw`layers\.(?:[0-9]|1[0-5])\.up`, "layers.15.up", true],
    [String.raw`layers\.(?:[0-9]|1[0-5])\.up`, "layers.16.up", false],
    ["[^.]+?x{2,3}", "abxxx", true],
    ["x{2}", "xxx", false],
    ["(a*)*b", "aaab", true],
    ["", "", true],
    ["a{,2}", "aa", true],
    ["a{,2}", "aaa", false],
    ["{a}", "{a}", true],
  ])("%s on %s: %s", (pattern, text, expected) => {
    expect(pythonPattern(pattern)(text)).toBe(expected);
  });

  it("agrees with a backtracking engine on patterns that both understand", () => {
    const { pattern } = fc.letrec<{ pattern: string; part: string; atom: string }>((tie) => ({
      atom: fc.oneof(
        { maxDepth: 3 },
        fc.constantFrom("a", "b", ".", "[ab]", "[^a]", "\\.", "\\d", "\\w", "^", "$"),
        tie("pattern").map((inner) => `(?:${inner})`),
      ),
      part: fc
        .tuple(tie("atom"), fc.constantFrom("", "", "?", "*", "+", "{1,2}", "*?"))
        .map(([atom, count]) => (/^[\^$]/.test(atom) ? atom : atom + count)),
      pattern: fc
        .array(fc.array(tie("part"), { maxLength: 3 }), { minLength: 1, maxLength: 2 })
        .map((options) => options.map((parts) => parts.join("")).join("|")),
    }));
    const text = fc.string({ unit: fc.constantFrom("a", "b", ".", "1"), maxLength: 6 });
    fc.assert(
      fc.property(pattern, text, (source, given) => {
        expect(pythonPattern(source)(given), source).toBe(whole(source, given));
      }),
      { numRuns: 500 },
    );
  });

  it("answers at once where backtracking would not", () => {
    const start = performance.now();
    expect(pythonPattern("(a+)+(a|aa)*(.*a){20}$")(`${"a".repeat(400)}!`)).toBe(false);
    expect(performance.now() - start).toBeLessThan(2_000);
  });

  it.each(["(?=a)", "(?P<n>a)", "a++", "a**", "*a", "(a", "a)", "[a", "[b-a]", "a{3,2}", "\\1", "\\", "((a{999}){999}){999}"])(
    "refuses %s",
    (pattern) => {
      expect(() => pythonPattern(pattern)).toThrow(expect.objectContaining({ code: "ADAPTER_CONFIG" }));
    },
  );

  it("gives an answer or a coded error for any text", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 20 }), fc.string({ maxLength: 10 }), (pattern, text) => {
        try {
          expect(typeof pythonPattern(pattern)(text)).toBe("boolean");
        } catch (error) {
          expect(error).toMatchObject({ code: "ADAPTER_CONFIG" });
        }
      }),
    );
  });
});
