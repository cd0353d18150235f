import { CheckpointError, decodedTensor, memorySource, watchCrc } from "@ckptkit/core";
import { damage, seededRandom } from "@ckptkit/testkit";
import { readFixture } from "@ckptkit/testkit/node";
import { jsKernels } from "@ckptkit/wasm/js";
import { afterEach, describe, expect, it } from "vitest";
import { openCheckpoint } from "../src/index.js";
import { arrayFiles } from "./arrays.js";

/** Damaged copies of each file. */
const COPIES = 500;
const kernels = jsKernels();
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

describe.each((await arrayFiles()).map(({ file, format }) => [file, format] as const))("%s, damaged 500 times", (file, format) => {
  it("gives a coded error, a finding, or tensors that can be read", async () => {
    const original = await readFixture(file);
    const clean = new Map<string, Uint8Array>();
    for (const tensor of (await openCheckpoint(memorySource(original, file))).tensors) clean.set(tensor.path, await tensor.read());
    for (let seed = 0; seed < COPIES; seed++) {
      const { bytes, description } = damage(original, seed);
      const checkpoint = await coded(() => openCheckpoint(memorySource(bytes, file)));
      if (typeof checkpoint === "string") continue;
      const random = seededRandom(seed);
      for (const tensor of checkpoint.tensors) {
        if (random.integer(checkpoint.tensors.length) >= 4 || tensor.byteLength > 10_000_000) continue;
        const watch = tensor.storage && watchCrc(tensor.storage, kernels);
        const read = await coded(() => tensor.read());
        const crc = watch && (await coded(() => watch.finish()));
        if (typeof read === "string") continue;
        expect(read.length, description).toBe(tensor.byteLength);
        await coded(() => decodedTensor(tensor).read());
        const expected = clean.get(tensor.path);
        // What CRC-32 and directory say is right, is right.
        if (format === "npz" && crc === undefined && watch && checkpoint.findings.length === 0 && expected)
          expect(Buffer.compare(read, expected), `${file}, ${description}: ${tensor.path}`).toBe(0);
      }
    }
  });
});
