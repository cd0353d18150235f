import { readFile } from "node:fs/promises";
import { memorySource } from "@ckptkit/core";
import { corpus } from "@ckptkit/testkit/node";
import { describe, expect, it } from "vitest";
import { openCheckpoint } from "../src/index.js";
import { sha256 } from "./truth.js";

const entries = corpus("hdf5", "keras-zip") ?? [];

/** numpy's names of dtypes, as the corpus gives them. */
const codeOf = (dtype: string): string => {
  const [, kind = "", bytes = ""] = /([a-z])(\d+)$/.exec(dtype) ?? [];
  return `${{ f: "F", i: "I", u: "U" }[kind]}${Number(bytes) * 8}`;
};

describe.skipIf(entries.length === 0)("real HDF5 files and Keras models, where shared/corpus lies beside the repository", () => {
  it.each(entries.map((entry) => [entry.file, entry] as const))("%s gives every tensor, digest for digest", async (_, entry) => {
    const { format, tensors, findings } = await openCheckpoint(memorySource(await readFile(entry.path), entry.file));
    expect([format, findings]).toEqual([entry.format === "hdf5" ? "hdf5" : "keras", []]);
    const byPath = new Map(tensors.map((tensor) => [tensor.keys.join("/"), tensor]));
    expect([...byPath.keys()].sort()).toEqual(entry.truth.tensors.map(({ name }) => name).sort());
    for (const { name, dtype, shape, sha256: digest } of entry.truth.tensors) {
      const tensor = byPath.get(name);
      expect([tensor?.dtype, tensor?.shape], name).toEqual([codeOf(dtype), shape]);
      if (tensor && digest !== null) expect(await sha256(await tensor.read()), name).toBe(digest);
    }
  });
});
