import { type ByteSource, CheckpointError, readInto } from "@ckptkit/core";
import { describe, expect, it } from "vitest";

/** Bytes without a pattern that a shifted read could match: a linear congruential generator (Numerical Recipes' constants). */
export function patternBytes(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

/** Compares bytes and says where they first differ: `toEqual` takes seconds for what this does in a millisecond. */
export function expectSameBytes(found: Uint8Array | undefined, expected: Uint8Array): void {
  if (!found) throw new Error("Expected bytes, found none.");
  expect(found.length).toBe(expected.length);
  const at = expected.findIndex((byte, index) => found[index] !== byte);
  if (at >= 0) throw new Error(`Byte ${at} of ${expected.length} is ${found[at]}, expected ${expected[at]}.`);
}

/** The code of the {@link CheckpointError} with which a promise rejects; fails when it does anything else. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof CheckpointError)) throw new Error(`Expected a CheckpointError, not ${String(error)}`);
  return error.code;
}

/** Sizes around which implementations change their ways: none, one, a page and its neighbours, several blocks of 64 KiB. */
const SIZES = [1, 100, 4095, 4096, 4097, 200_003];

/**
 * What every {@link ByteSource} promises, whatever is behind it. `open` makes a source with exactly these bytes.
 *
 * @example byteSourceContract("memorySource", (bytes) => memorySource(bytes));
 */
export function byteSourceContract(name: string, open: (bytes: Uint8Array) => ByteSource | Promise<ByteSource>): void {
  const withSource = async (bytes: Uint8Array, test: (source: ByteSource) => Promise<void>): Promise<void> => {
    const source = await open(bytes);
    try {
      await test(source);
    } finally {
      await source.close?.();
    }
  };

  describe(`${name} keeps the contract of byte sources`, () => {
    it.each(SIZES)("tells its size and gives all %i bytes", (size) => {
      const bytes = patternBytes(size);
      return withSource(bytes, async (source) => {
        expect(source.size).toBe(size);
        expect(source.name).not.toBe("");
        expectSameBytes(await source.read(0, size), bytes);
      });
    });

    it("gives exactly the range that was asked for, at every place", () => {
      const bytes = patternBytes(200_003);
      const ranges = [
        [0, 1],
        [0, 65_536],
        [65_535, 65_537],
        [65_536, 131_072],
        [1, 200_002],
        [131_071, 131_073],
        [200_002, 200_003],
        [199_000, 200_003],
      ] as const;
      return withSource(bytes, async (source) => {
        for (const [start, end] of ranges) {
          const found = await source.read(start, end);
          expectSameBytes(found, bytes.subarray(start, end));
        }
      });
    });

    it("gives no bytes for an empty range, also at the very end", () =>
      withSource(patternBytes(100), async (source) => {
        expect((await source.read(0, 0)).length).toBe(0);
        expect((await source.read(100, 100)).length).toBe(0);
      }));

    it("opens a file without bytes", () =>
      withSource(new Uint8Array(0), async (source) => {
        expect(source.size).toBe(0);
        expect((await source.read(0, 0)).length).toBe(0);
        expect(await codeOf(source.read(0, 1))).toBe("OUT_OF_RANGE");
      }));

    it("fills a part of a larger buffer and leaves the rest alone", () => {
      const bytes = patternBytes(100_000);
      return withSource(bytes, async (source) => {
        for (const [start, length] of [
          [10, 50],
          [30_000, 70_000],
        ] as const) {
          const buffer = new Uint8Array(length + 20).fill(0xee);
          await readInto(source, buffer.subarray(10, 10 + length), start);
          expectSameBytes(buffer.subarray(10, 10 + length), bytes.subarray(start, start + length));
          expect(buffer.subarray(0, 10)).toEqual(new Uint8Array(10).fill(0xee));
          expect(buffer.subarray(10 + length)).toEqual(new Uint8Array(10).fill(0xee));
        }
      });
    });

    it("fills WebAssembly memory", () => {
      const bytes = patternBytes(70_000);
      return withSource(bytes, async (source) => {
        const memory = new WebAssembly.Memory({ initial: 2 });
        const target = new Uint8Array(memory.buffer, 64, 69_000);
        await readInto(source, target, 1000);
        expectSameBytes(target, bytes.subarray(1000));
      });
    });

    it("gives each caller memory of its own", () =>
      withSource(patternBytes(1000), async (source) => {
        const first = await source.read(0, 100);
        const expected = first.slice();
        first.fill(0);
        expect(await source.read(0, 100)).toEqual(expected);
      }));

    it("serves many reads side by side", () => {
      const bytes = patternBytes(200_003);
      return withSource(bytes, async (source) => {
        const starts = Array.from({ length: 40 }, (_, index) => (index * 7919) % 190_000);
        const found = await Promise.all(starts.map((start, index) => source.read(start, start + 1 + index * 200)));
        for (const [index, start] of starts.entries()) expectSameBytes(found[index], bytes.subarray(start, start + 1 + index * 200));
      });
    });

    it.each([
      ["beyond the end", 50, 101],
      ["from beyond the end", 101, 102],
      ["backwards", 20, 10],
      ["from a negative position", -1, 10],
      ["from half a byte", 0.5, 10],
      ["to NaN", 0, Number.NaN],
      ["to infinity", 0, Number.POSITIVE_INFINITY],
    ])("rejects a read %s with OUT_OF_RANGE", (_, start, end) =>
      withSource(patternBytes(100), async (source) => {
        expect(await codeOf(source.read(start, end))).toBe("OUT_OF_RANGE");
      }),
    );

    it("rejects a target that reaches beyond the end with OUT_OF_RANGE", () =>
      withSource(patternBytes(100), async (source) => {
        expect(await codeOf(readInto(source, new Uint8Array(11), 90))).toBe("OUT_OF_RANGE");
      }));

    it("rejects with the signal's reason when it was aborted before", () =>
      withSource(patternBytes(100_000), async (source) => {
        const reason = new Error("no longer wanted");
        const signal = AbortSignal.abort(reason);
        await expect(source.read(70_000, 80_000, { signal })).rejects.toBe(reason);
        await expect(readInto(source, new Uint8Array(10), 70_000, { signal })).rejects.toBe(reason);
      }));

    it("can be closed twice, and rejects reads with SOURCE_CLOSED afterwards, if it can be closed at all", async () => {
      const source = await open(patternBytes(100_000));
      if (!source.close) return;
      await source.read(0, 10);
      await source.close();
      await source.close();
      const outcome = await source.read(0, 10).then(
        () => "read",
        (error: unknown) => (error instanceof CheckpointError ? error.code : String(error)),
      );
      // A wrapper of a source that needs no closing may go on.
      expect(["SOURCE_CLOSED", "read"]).toContain(outcome);
    });

    it("gives a descriptor that can be sent to a worker, or none", () =>
      withSource(patternBytes(10), async (source) => {
        const descriptor = source.descriptor?.();
        if (descriptor) expect(structuredClone(descriptor).kind).toBe(descriptor.kind);
      }));
  });
}
