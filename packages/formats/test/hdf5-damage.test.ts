import { CheckpointError, memorySource } from "@ckptkit/core";
import { damage, seededRandom } from "@ckptkit/testkit";
import { readFixture } from "@ckptkit/testkit/node";
import { afterEach, describe, expect, it } from "vitest";
import { openCheckpoint } from "../src/index.js";
import { hdf5Files } from "./hdf5-files.js";

/** Damaged copies of each file. */
const COPIES = 500;
/** More than a tenth of what the slowest takes on a busy machine: a hang, not a delay. */
const MOST_MS = 20_000;
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

describe.each((await hdf5Files()).map(({ file }) => file))("%s, damaged 500 times", (file) => {
  it("gives a coded error, a finding, or tensors that can be read", async () => {
    const original = await readFixture(file);
    for (let seed = 0; seed < COPIES; seed++) {
      const { bytes, description } = damage(original, seed);
      const begin = performance.now();
      const checkpoint = await coded(() => openCheckpoint(memorySource(bytes, file)));
      if (typeof checkpoint === "string") continue;
      const random = seededRandom(seed);
      for (const tensor of checkpoint.tensors) {
        if (random.integer(checkpoint.tensors.length) >= 8 || tensor.byteLength > 10_000_000) continue;
        const read = await coded(() => tensor.read());
        if (typeof read !== "string") expect(read.length, description).toBe(tensor.byteLength);
      }
      expect(performance.now() - begin, description).toBeLessThan(MOST_MS);
    }
  });
});

describe.each(["h5-latest.h5", "h5-earliest.h5", "keras-model.h5"])("%s, cut off", (file) => {
  it("says so at every length, and gives whatever is whole bit by bit", async () => {
    const original = await readFixture(file);
    const whole = new Map((await openCheckpoint(memorySource(original, file))).tensors.map((tensor) => [tensor.path, tensor]));
    for (let length = 0; length < original.length; length += 997) {
      const checkpoint = await coded(() => openCheckpoint(memorySource(original.slice(0, length), file)));
      if (typeof checkpoint === "string") continue;
      expect(checkpoint.findings.map(({ rule }) => rule)).toContain("hdf5-truncated");
      for (const tensor of checkpoint.tensors) {
        const read = await coded(() => tensor.read());
        if (typeof read !== "string")
          expect(Buffer.compare(read, (await whole.get(tensor.path)?.read()) ?? new Uint8Array(0)), `${length}: ${tensor.path}`).toBe(0);
      }
    }
  });
});
