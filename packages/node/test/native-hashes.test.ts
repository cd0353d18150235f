import { createHash, randomBytes } from "node:crypto";
import { HASH_ALGORITHMS, hexText } from "@ckptkit/core";
import { loadKernels } from "@ckptkit/wasm";
import { describe, expect, it } from "vitest";
import { nodePlatform } from "../src/index.js";

const kernels = await nodePlatform().kernels();
const wasm = await loadKernels();
const bytes = randomBytes(300_000);

describe("the hashes of this platform", () => {
  it.each(HASH_ALGORITHMS)("give %s as the kernels do, at any time and however bytes are cut", (algorithm) => {
    const [ours, truth] = [kernels.hasher(algorithm), wasm.hasher(algorithm)];
    expect(ours.hexDigest()).toBe(truth.hexDigest());
    for (const [start, end] of [
      [0, 1],
      [1, 64],
      [64, 64],
      [64, 100_003],
      [100_003, 300_000],
    ] as const) {
      ours.update(bytes.subarray(start, end));
      truth.update(bytes.subarray(start, end));
      expect(ours.hexDigest()).toBe(truth.hexDigest());
      expect(ours.digest()).toEqual(truth.digest());
    }
    ours.free();
    ours.free();
    truth.free();
    const messages = [bytes.subarray(0, 0), bytes.subarray(5, 70), bytes];
    expect(kernels.digests(algorithm, messages).map(hexText)).toEqual(wasm.digests(algorithm, messages).map(hexText));
  });

  it.each(HASH_ALGORITHMS)("say so of %s when a hasher is used after it was freed", (algorithm) => {
    const hasher = kernels.hasher(algorithm);
    hasher.free();
    const used = expect.objectContaining({ code: "INTERNAL", message: expect.stringContaining("freed") });
    expect(() => hasher.update(bytes)).toThrow(used);
    expect(() => hasher.digest()).toThrow(used);
    expect(() => hasher.hexDigest()).toThrow(used);
  });

  it("take bytes of the kernels' memory and of memory that threads share", () => {
    const buffer = kernels.allocate(1000);
    buffer.bytes.set(bytes.subarray(0, 1000));
    const shared = new Uint8Array(new SharedArrayBuffer(1000));
    shared.set(bytes.subarray(0, 1000));
    const truth = createHash("sha256").update(bytes.subarray(0, 1000)).digest("hex");
    for (const message of [buffer.bytes, shared]) {
      const hasher = kernels.hasher("sha256");
      hasher.update(message);
      expect(hasher.hexDigest()).toBe(truth);
      hasher.free();
    }
    expect(kernels.digests("sha256", [buffer.bytes, shared]).map(hexText)).toEqual([truth, truth]);
    buffer.free();
  });
});
