import { CheckpointError, memorySource } from "@ckptkit/core";
import { damage, seededRandom } from "@ckptkit/testkit";
import { readFixture } from "@ckptkit/testkit/node";
import { afterEach, expect, it } from "vitest";
import { flaxReader, openFlax } from "../src/index.js";

/** Damaged copies of each file. */
const COPIES = 500;
const FILES = ["flax-model", "flax-state", "flax-dtypes", "flax-chunked", "flax-values"];
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

it.each(FILES)("%s.msgpack, damaged 500 times, gives a coded error, a finding, or tensors that can be read", async (name) => {
  const original = await readFixture(`${name}.msgpack`);
  for (let seed = 0; seed < COPIES; seed++) {
    const { bytes, description } = damage(original, seed);
    flaxReader.matches({ head: bytes, size: bytes.length, name });
    if (bytes.length === 0) continue;
    const checkpoint = await coded(() => openFlax(memorySource(bytes, name)));
    if (typeof checkpoint === "string") continue;
    const random = seededRandom(seed);
    for (const tensor of checkpoint.tensors) {
      if (random.integer(checkpoint.tensors.length) >= 4) continue;
      const read = await coded(() => tensor.read());
      if (typeof read !== "string") expect(read.length, description).toBe(tensor.byteLength);
    }
  }
});
