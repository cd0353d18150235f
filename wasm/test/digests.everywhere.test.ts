import { HASH_ALGORITHMS, type HashAlgorithm, hexText, type Kernels } from "@ckptkit/core";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { HASH_VECTORS } from "./hash-vectors.js";
import { IMPLEMENTATIONS, unaligned } from "./implementations.js";

/** Random bytes, the same every time. */
function noise(length: number): Uint8Array {
  let state = 7;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

const NOISE = noise(400_000);

describe.each(IMPLEMENTATIONS)("digests of many messages in $name", ({ load }) => {
  let kernels: Kernels;
  beforeAll(async () => {
    kernels = await load();
  });

  const digests = (algorithm: HashAlgorithm, messages: Uint8Array[]): string[] => kernels.digests(algorithm, messages).map(hexText);

  function oneByOne(algorithm: HashAlgorithm, messages: Uint8Array[]): string[] {
    return messages.map((message) => {
      const hasher = kernels.hasher(algorithm);
      hasher.update(message);
      const digest = hasher.hexDigest();
      hasher.free();
      return digest;
    });
  }

  test.each(HASH_ALGORITHMS)("%s of all published messages at a time are the published digests", (algorithm) => {
    const vectors = HASH_VECTORS.filter((vector) => vector.algorithm === algorithm);
    const messages = vectors.map(({ bytes }) => bytes);
    expect(digests(algorithm, messages)).toEqual(vectors.map(({ hex }) => hex));
  });

  test("are none of no messages", () => {
    expect(kernels.digests("sha256", [])).toEqual([]);
  });

  test("are those of each message by itself, whatever their lengths, order and addresses", () => {
    const buffer = kernels.allocate(NOISE.length);
    buffer.bytes.set(NOISE);
    const length = fc.oneof(
      fc.nat({ max: 300 }),
      fc.nat({ max: 5000 }),
      fc.constantFrom(0, 55, 56, 63, 64, 65, 128, 32_768, 131_072, 150_001),
    );
    const message = fc.record({ length, start: fc.nat({ max: 200_000 }), inside: fc.boolean() });
    const property = fc.property(fc.array(message, { maxLength: 13 }), (chosen) => {
      const messages = chosen.map(({ length: bytes, start, inside }) =>
        inside ? buffer.bytes.subarray(start, start + bytes) : unaligned(NOISE.subarray(start, start + bytes), start % 7),
      );
      expect(digests("sha256", messages)).toEqual(oneByOne("sha256", messages));
    });
    fc.assert(property, { numRuns: 60 });
    buffer.free();
  });

  test("give their memory back", async () => {
    const small = await load({ memoryBytes: 2 ** 20 });
    for (let round = 0; round < 2000; round++) small.digests("sha256", [NOISE.subarray(0, 100), NOISE.subarray(0, 200)]);
    expect(small.allocate(2 ** 19).bytes).toHaveLength(2 ** 19);
  });

  test("refuse a hash that is unknown", () => {
    // @ts-expect-error: for callers without types
    expect(() => kernels.digests("sha1", [NOISE])).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
  });
});
