import type { Tree } from "@ckptkit/core";
import { describe, expect, it } from "vitest";
import { keyText } from "../src/key-text.js";
import { PYTHON_KEYS } from "./python-keys.js";

describe("the text of a key", () => {
  it.each(PYTHON_KEYS)("%s is what Python's str() gives", (_, tree, text) => {
    expect(keyText(tree)).toBe(text);
  });

  it("of a class that is not known names the class", () => {
    expect(keyText({ kind: "object", type: "my.Key", args: [1, "a"] })).toBe("my.Key(1, 'a')");
    expect(keyText({ kind: "list", type: "collections.deque", items: [1] })).toBe("collections.deque([1])");
    expect(keyText({ kind: "tensor", tensor: { dtype: "F32", shape: [2], storage: undefined, byteOffset: 0 } })).toBe("tensor(F32, [2])");
  });

  it("is bounded, however its parts are shared and however long they are", () => {
    let key: Tree = "x";
    for (let level = 0; level < 100; level++) key = { kind: "list", type: "tuple", items: [key, key] };
    const long: Tree = { kind: "list", type: "tuple", items: ["y".repeat(1e6), new Uint8Array(1e6)] };
    const loop: { kind: "list"; type: string; items: Tree[] } = { kind: "list", type: "tuple", items: [] };
    loop.items.push(loop);
    for (const each of [key, long, loop]) {
      expect(keyText(each).length).toBeLessThanOrEqual(1003);
      expect(keyText(each)).toMatch(/\.\.\.$/);
    }
  });
});
