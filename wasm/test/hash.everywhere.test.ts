import { HASH_ALGORITHMS, type HashAlgorithm, type Kernels } from "@ckptkit/core";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { crc32, crc32c, jsKernels } from "../src/js/index.js";
import { HASH_VECTORS } from "./hash-vectors.js";
import { IMPLEMENTATIONS, inPieces, unaligned } from "./implementations.js";

/** Bytes without a pattern, the same every time (a linear congruential generator's upper bits). */
function noise(length: number): Uint8Array {
  let state = 1;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

const NOISE = noise(70_000);

describe.each(IMPLEMENTATIONS)("hashes in $name", ({ load }) => {
  let kernels: Kernels;
  beforeAll(async () => {
    kernels = await load();
  });

  function hex(algorithm: HashAlgorithm, ...parts: Uint8Array[]): string {
    const hasher = kernels.hasher(algorithm);
    for (const part of parts) hasher.update(part);
    const digest = hasher.hexDigest();
    hasher.free();
    return digest;
  }

  test.each(HASH_VECTORS)("$algorithm of $what is the published digest", ({ algorithm, bytes, hex: published }) => {
    expect(hex(algorithm, bytes)).toBe(published);
  });

  test.each(HASH_ALGORITHMS)("%s is the same however the bytes are cut into updates", (algorithm) => {
    const property = fc.property(
      fc.integer({ min: 0, max: 20_000 }),
      fc.array(fc.nat({ max: 20_000 }), { maxLength: 6 }),
      fc.nat({ max: 15 }),
      (length, cuts, offset) => {
        const bytes = NOISE.subarray(0, length);
        const parts: Uint8Array[] = [];
        inPieces(bytes, cuts, (part) => parts.push(unaligned(part, offset)));
        expect(hex(algorithm, ...parts)).toBe(hex(algorithm, bytes));
      },
    );
    fc.assert(property, { numRuns: 25 });
  });

  test.each(HASH_ALGORITHMS)("%s is the same from the kernels' own memory at any address as from outside", (algorithm) => {
    const buffer = kernels.allocate(NOISE.length + 16);
    for (const length of [0, 1, 17, 240, 241, 4096, 4097, 9000, NOISE.length]) {
      for (const offset of [0, 1, 7]) {
        const inside = buffer.bytes.subarray(offset, offset + length);
        inside.set(NOISE.subarray(0, length));
        expect(hex(algorithm, inside)).toBe(hex(algorithm, unaligned(NOISE.subarray(0, length), offset)));
      }
    }
    buffer.free();
  });

  test.each(HASH_ALGORITHMS)("a digest of %s leaves the hash as it was", (algorithm) => {
    const hasher = kernels.hasher(algorithm);
    for (const [index, end] of [0, 5, 64, 100, 256, 300, 1024, 2000, 9000, 17_000].entries()) {
      const start = index === 0 ? 0 : ([0, 5, 64, 100, 256, 300, 1024, 2000, 9000, 17_000][index - 1] ?? 0);
      hasher.update(NOISE.subarray(start, end));
      expect(hasher.hexDigest()).toBe(hex(algorithm, NOISE.subarray(0, end)));
      expect(hasher.hexDigest()).toBe(hex(algorithm, NOISE.subarray(0, end)));
    }
    hasher.free();
  });

  test("many hashers at once do not disturb each other", () => {
    const hashers = HASH_ALGORITHMS.flatMap((algorithm) =>
      [1, 2].map((times) => ({ algorithm, times, hasher: kernels.hasher(algorithm) })),
    );
    for (let at = 0; at < 12_000; at += 3000) {
      for (const { hasher, times } of hashers) for (let i = 0; i < times; i++) hasher.update(NOISE.subarray(at, at + 3000));
    }
    for (const { algorithm, times, hasher } of hashers) {
      const parts = [0, 3000, 6000, 9000].flatMap((at) => Array.from({ length: times }, () => NOISE.subarray(at, at + 3000)));
      expect(hasher.hexDigest()).toBe(hex(algorithm, ...parts));
      hasher.free();
    }
  });

  test.each(HASH_ALGORITHMS)("%s agrees with the plain JavaScript at every length up to a few blocks", (algorithm) => {
    const reference = jsKernels();
    for (const length of [...Array(530).keys(), 1023, 1024, 1025, 8191, 8192, 8193, 8255, 8256, 16_384, 16_385, 20_481, 70_000]) {
      const hasher = reference.hasher(algorithm);
      hasher.update(NOISE.subarray(0, length));
      expect(hex(algorithm, NOISE.subarray(0, length)), `${length} bytes`).toBe(hasher.hexDigest());
    }
  });
});

describe("single functions", () => {
  test("a CRC goes on from the CRC of the bytes before", () => {
    const property = fc.property(fc.nat({ max: 5000 }), (cut) => {
      expect(crc32(NOISE.subarray(cut, 5000), crc32(NOISE.subarray(0, cut)))).toBe(crc32(NOISE.subarray(0, 5000)));
      expect(crc32c(NOISE.subarray(cut, 5000), crc32c(NOISE.subarray(0, cut)))).toBe(crc32c(NOISE.subarray(0, 5000)));
    });
    fc.assert(property, { numRuns: 50 });
    expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
    expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
  });
});
