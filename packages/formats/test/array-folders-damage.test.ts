import { CheckpointError } from "@ckptkit/core";
import { damage, seededRandom } from "@ckptkit/testkit";
import { loadFolder } from "@ckptkit/testkit/vite";
import { afterEach, expect, it } from "vitest";
import { openFolder } from "./folders.js";

/** Damaged copies of each folder. In each, one file is damaged; the one that is opened more often than the others. */
const COPIES = 400;
const FOLDERS = [
  ["zarr-v2.zip", ".zmetadata"],
  ["zarr-v2.zip", ".zgroup"],
  ["zarr-v2-odd.zip", ".zgroup"],
  ["zarr-v3.zip", "zarr.json"],
  ["zarr-v3.zip", "sharded/zarr.json"],
  ["orbax-default.zip", "_METADATA"],
  ["orbax-default.zip", "_CHECKPOINT_METADATA"],
  ["orbax-zarr3.zip", "_METADATA"],
  ["ocdbt-deep.zip", "manifest.ocdbt"],
  ["ocdbt-numbered.zip", "manifest.ocdbt"],
] as const;
const unhandled: unknown[] = [];
process.on("unhandledRejection", (error: unknown) => unhandled.push(error));
afterEach(() => expect(unhandled).toEqual([]));

const coded = async <T>(work: () => Promise<T>): Promise<T | string> => {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof CheckpointError) || error.code === "INTERNAL") throw error;
    return error.code;
  }
};

it.each(FOLDERS)("%s, opened by %s and damaged 400 times, gives coded errors, findings, or tensors that can be read", async (zip, main) => {
  const original = await loadFolder(zip);
  const names = [...original.keys()];
  for (let seed = 0; seed < COPIES; seed++) {
    const random = seededRandom(seed);
    const name = random.integer(3) === 0 ? main : (names[random.integer(names.length)] ?? main);
    const { bytes, description } = damage(original.get(name) ?? new Uint8Array(0), seed);
    const checkpoint = await coded(() => openFolder(new Map(original).set(name, Uint8Array.from(bytes)), main).checkpoint);
    if (typeof checkpoint === "string") continue;
    for (const tensor of checkpoint.tensors) {
      if (random.integer(checkpoint.tensors.length) >= 6 || tensor.byteLength > 10_000_000) continue;
      const read = await coded(() => tensor.read());
      if (typeof read !== "string") expect(read.length, `${name}, ${description}: ${tensor.path}`).toBe(tensor.byteLength);
    }
    await checkpoint.close();
  }
});
