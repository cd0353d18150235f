import type { Json } from "@ckptkit/core";
import { loadFixture } from "@ckptkit/testkit/vite";
import { describe, expect, it } from "vitest";
import { openBytes } from "./arrays.js";

const { files } = JSON.parse(new TextDecoder().decode(await loadFixture("python-values.json"))) as {
  files: { file: string; metadata: { [group: string]: { [name: string]: Json } } }[];
};

/** `{"$tensor": true}` stands in lists for what is no value; the truth of these files speaks of values only. */
describe.each(files)("the values of $file", ({ file, metadata: truth }) => {
  it.each(Object.keys(truth))("are those of Python, as JSON: %s", async (group) => {
    const { metadata } = await openBytes(await loadFixture(file), file);
    // As text and back: what `ckpt inspect --json` prints, and no more than JSON.
    const found = JSON.parse(JSON.stringify(metadata)) as typeof truth;
    expect(found[group]).toEqual(truth[group]);
  });

  it("are all there, and a key like __proto__ changes nothing but itself", async () => {
    const { metadata, findings } = await openBytes(await loadFixture(file), file);
    expect(Object.keys(metadata)).toEqual(Object.keys(truth));
    expect(findings).toEqual([]);
    expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
    expect(JSON.stringify(metadata)).toContain('"__proto__":{"polluted":true}');
  });
});
