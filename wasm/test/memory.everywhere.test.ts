import { HASH_ALGORITHMS, type KernelBuffer, type Kernels, SCAN_DTYPES } from "@ckptkit/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { IMPLEMENTATIONS } from "./implementations.js";

const MIB = 2 ** 20;
const used = expect.objectContaining({ code: "INTERNAL", message: expect.stringContaining("freed") });

/** The largest buffer, to 64 bytes, that can be had. */
function largest(kernels: Kernels): number {
  let low = 0;
  let high = 4 * MIB;
  while (high - low > 64) {
    const middle = Math.floor((low + high) / 2);
    try {
      kernels.allocate(middle).free();
      low = middle;
    } catch {
      high = middle;
    }
  }
  return low;
}

describe.each(IMPLEMENTATIONS)("memory of $name", ({ load }) => {
  test("a buffer beyond the memory is refused by name of the limit, and one within it is not", async () => {
    const kernels = await load({ memoryBytes: 2 * MIB });
    const exceeded = expect.objectContaining({ code: "LIMIT_EXCEEDED", details: expect.objectContaining({ limit: "memoryBytes" }) });
    expect(() => kernels.allocate(2 * MIB + 1)).toThrow(exceeded);
    expect(() => kernels.allocate(Number.MAX_SAFE_INTEGER)).toThrow(exceeded);
    const buffer = kernels.allocate(MIB);
    expect(() => kernels.allocate(MIB + 64)).toThrow(exceeded);
    buffer.free();
    expect(kernels.allocate(MIB + 64).bytes).toHaveLength(MIB + 64);
  });

  test("sizes that are none are refused", async () => {
    const kernels = await load();
    for (const byteLength of [-1, 1.5, Number.NaN, Infinity]) {
      expect(() => kernels.allocate(byteLength)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
    }
    for (const memoryBytes of [0, -1, MIB - 1, 1.5 * MIB + 0.5, 2 ** 32, Number.NaN]) {
      await expect(load({ memoryBytes })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    }
  });

  test("buffers are aligned, keep their bytes and never overlap, in whatever order they come and go", async () => {
    const kernels = await load({ memoryBytes: MIB });
    const whole = largest(kernels);
    const step = fc.record({ size: fc.nat({ max: 100_000 }), drop: fc.nat({ max: 9 }), twice: fc.boolean() });
    const property = fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const live: { buffer: KernelBuffer; mark: number }[] = [];
      const release = (at: number, twice: boolean): void => {
        const [gone] = live.splice(at, 1);
        if (!gone) return;
        expect(gone.buffer.bytes.every((byte) => byte === gone.mark)).toBe(true);
        gone.buffer.free();
        if (twice) gone.buffer.free();
      };
      for (const [index, { size, drop, twice }] of steps.entries()) {
        if (drop < live.length) release(drop, twice);
        try {
          const buffer = kernels.allocate(size);
          expect(buffer.bytes).toHaveLength(size);
          expect(buffer.bytes.byteOffset % 64).toBe(0);
          buffer.bytes.fill(index);
          live.push({ buffer, mark: index });
        } catch (error) {
          expect(error).toMatchObject({ code: "LIMIT_EXCEEDED" });
          release(0, twice);
        }
      }
      while (live.length > 0) release(0, false);
      expect(largest(kernels)).toBe(whole);
    });
    fc.assert(property, { numRuns: 12 });
  });

  test("scanners and hashers give their memory back, and once only", async () => {
    const kernels = await load({ memoryBytes: 2 * MIB });
    const whole = largest(kernels);
    for (let round = 0; round < 3; round++) {
      const open = [...HASH_ALGORITHMS.map((name) => kernels.hasher(name)), ...SCAN_DTYPES.map((name) => kernels.scanner(name))];
      for (const handle of open) handle.free();
      const other = kernels.allocate(64);
      for (const handle of open) handle.free();
      other.bytes.fill(7);
      const another = kernels.allocate(64);
      another.bytes.fill(8);
      expect(other.bytes.every((byte) => byte === 7)).toBe(true);
      other.free();
      another.free();
    }
    expect(largest(kernels)).toBe(whole);
  });

  test("a buffer's bytes stay where they are while the memory is in use", async () => {
    const kernels = await load({ memoryBytes: 4 * MIB });
    const buffer = kernels.allocate(MIB);
    buffer.bytes.fill(3);
    for (const name of HASH_ALGORITHMS) kernels.hasher(name).update(new Uint8Array(150_000));
    expect(buffer.bytes).toHaveLength(MIB);
    expect(buffer.bytes.every((byte) => byte === 3)).toBe(true);
  });

  test("use after free says so", async () => {
    const kernels = await load();
    const scanner = kernels.scanner("F32");
    scanner.free();
    expect(() => scanner.update(new Uint8Array(4))).toThrow(used);
    expect(() => scanner.result()).toThrow(used);
    const hasher = kernels.hasher("blake3");
    hasher.free();
    expect(() => hasher.update(new Uint8Array(4))).toThrow(used);
    expect(() => hasher.digest()).toThrow(used);
    expect(() => hasher.hexDigest()).toThrow(used);
  });

  test("half an element, an unknown dtype and an unknown hash are refused", async () => {
    const kernels = await load();
    const invalid = expect.objectContaining({ code: "INVALID_ARGUMENT" });
    expect(() => kernels.scanner("F32").update(new Uint8Array(6))).toThrow(invalid);
    expect(() => kernels.scanner("C64").update(new Uint8Array(4))).toThrow(invalid);
    // @ts-expect-error: for callers without types
    expect(() => kernels.scanner("F4")).toThrow(invalid);
    // @ts-expect-error: for callers without types
    expect(() => kernels.hasher("sha1")).toThrow(invalid);
  });

  test("it says which implementation it is", async () => {
    expect((await load()).name).toMatch(/^(js|wasm)$/);
  });
});
