import { codeOf, patternBytes } from "@ckptkit/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CheckpointIntegrityError, countSource, memorySource, Storage, watchCrc } from "../src/index.js";
import { crc32, crcKernels } from "./crc-kernels.js";

const bytes = patternBytes(600_000);
const crc = crc32(bytes);

function watched(expected = crc) {
  const source = countSource(memorySource(bytes));
  const storage = new Storage({ id: "data/0", bytes: source, crc: { algorithm: "crc32", value: expected } });
  const { kernels, held } = crcKernels();
  const watch = watchCrc(storage, kernels);
  if (!watch) throw new Error("The storage is not watched.");
  return { source, storage, kernels, watch, held };
}

describe("the CRC-32 that these tests compare with", () => {
  it("has the check value of the catalogue", () => {
    expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
  });
});

describe("watchCrc", () => {
  it("does not read again what went by in order", async () => {
    const { source, storage, watch, held } = watched();
    for (let start = 0; start < 600_000; start += 100_000) await storage.readInto(new Uint8Array(100_000), start);
    await watch.finish();
    expect(source.counts.bytesRead).toBe(600_000);
    expect(held()).toBe(0);
  });

  it("reads everything itself when nothing went by", async () => {
    const { source, watch, held } = watched();
    await watch.finish();
    expect(source.counts.bytesRead).toBe(600_000);
    expect(held()).toBe(0);
  });

  it("comes to the right verdict whatever was read before, in any order and overlap (property)", async () => {
    const small = patternBytes(300);
    const right = crc32(small);
    const ranges = fc.array(fc.tuple(fc.nat(299), fc.integer({ min: 1, max: 300 })), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(ranges, fc.boolean(), async (reads, isRight) => {
        const storage = new Storage({
          id: "s",
          bytes: memorySource(small),
          crc: { algorithm: "crc32", value: isRight ? right : right - 1 },
        });
        const { kernels, held } = crcKernels();
        const watch = watchCrc(storage, kernels);
        await Promise.all(reads.map(([start, length]) => storage.readInto(new Uint8Array(Math.min(length, 300 - start)), start)));
        const verdict = watch?.finish().then(() => true);
        if (isRight) expect(await verdict).toBe(true);
        else await expect(verdict).rejects.toBeInstanceOf(CheckpointIntegrityError);
        expect(held()).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  it("says CRC_MISMATCH with both values", async () => {
    const { watch, held } = watched(0x0000abcd);
    await expect(watch.finish()).rejects.toMatchObject({ code: "CRC_MISMATCH", details: { record: "data/0", expected: "0000abcd" } });
    expect(held()).toBe(0);
  });

  it("checks a storage without bytes", async () => {
    const storage = new Storage({ id: "empty", bytes: memorySource(new Uint8Array(0)), crc: { algorithm: "crc32", value: 0 } });
    await watchCrc(storage, crcKernels().kernels)?.finish();
  });

  it("watches nothing where no CRC was recorded, or where it watches already", () => {
    const { storage, kernels } = watched();
    expect(watchCrc(storage, kernels)).toBeUndefined();
    expect(watchCrc(new Storage({ id: "s", bytes: memorySource(bytes) }), kernels)).toBeUndefined();
  });

  it("can be cancelled any number of times, and leaves a later watch alone", async () => {
    const { storage, kernels, watch, held } = watched();
    watch.cancel();
    const second = watchCrc(storage, kernels);
    watch.cancel();
    expect(watchCrc(storage, kernels)).toBeUndefined();
    await second?.finish();
    expect(held()).toBe(0);
  });

  it("refuses to give a verdict after it was cancelled, rather than wait for ever", async () => {
    const { watch } = watched();
    watch.cancel();
    expect(await codeOf(watch.finish())).toBe("INTERNAL");
  });

  it("gives everything back when reading fails or is aborted", async () => {
    const { watch, held } = watched();
    await expect(watch.finish({ signal: AbortSignal.abort(new Error("stop")) })).rejects.toThrow("stop");
    expect(held()).toBe(0);
  });
});
