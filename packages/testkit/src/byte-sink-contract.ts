import type { ByteSink } from "@ckptkit/core";
import { describe, expect, it } from "vitest";
import { codeOf, expectSameBytes, patternBytes } from "./byte-source-contract.js";

/** A destination for {@link byteSinkContract}. */
export interface SinkUnderTest {
  /** Opens the destination. */
  create(): ByteSink | Promise<ByteSink>;
  /** What is visible there now; undefined for nothing. */
  visible(): Uint8Array | undefined | Promise<Uint8Array | undefined>;
}

/**
 * What every {@link ByteSink} promises. `prepare` makes a destination at which nothing is yet.
 *
 * @example byteSinkContract("fileSink", async () => ({ create: () => fileSink(path), visible: () => readFile(path).catch(() => undefined) }));
 */
export function byteSinkContract(name: string, prepare: () => SinkUnderTest | Promise<SinkUnderTest>): void {
  describe(`${name} keeps the contract of byte sinks`, () => {
    it("shows nothing before the commit and everything after it", async () => {
      const target = await prepare();
      const sink = await target.create();
      const bytes = patternBytes(100_000);
      await sink.write(bytes.subarray(0, 10));
      await sink.write(bytes.subarray(10, 10));
      await sink.write(bytes.subarray(10));
      expect(sink.position).toBe(100_000);
      expect(await target.visible()).toBeUndefined();
      await sink.commit();
      expectSameBytes(await target.visible(), bytes);
    });

    it("lets the buffer of a write be filled again", async () => {
      const target = await prepare();
      const sink = await target.create();
      const buffer = patternBytes(1000);
      const expected = buffer.slice();
      await sink.write(buffer);
      buffer.fill(0);
      await sink.commit();
      expectSameBytes(await target.visible(), expected);
    });

    it("shows nothing after an abort, and refuses to be committed then", async () => {
      const target = await prepare();
      const sink = await target.create();
      await sink.write(patternBytes(1000));
      await sink.abort();
      await sink.abort();
      expect(await target.visible()).toBeUndefined();
      expect(await codeOf(sink.commit())).toBe("WRITE_FAILED");
      expect(await codeOf(sink.write(patternBytes(1)))).toBe("WRITE_FAILED");
      expect(await target.visible()).toBeUndefined();
    });

    it("keeps what was committed, whatever is called afterwards", async () => {
      const target = await prepare();
      const sink = await target.create();
      const bytes = patternBytes(1000);
      await sink.write(bytes);
      await sink.commit();
      await sink.abort();
      await sink.commit();
      expect(await codeOf(sink.write(bytes))).toBe("WRITE_FAILED");
      expectSameBytes(await target.visible(), bytes);
    });

    it("commits a file without bytes", async () => {
      const target = await prepare();
      const sink = await target.create();
      await sink.commit();
      expectSameBytes(await target.visible(), new Uint8Array(0));
    });

    it("keeps the order of writes that were not awaited one by one", async () => {
      const target = await prepare();
      const sink = await target.create();
      const bytes = patternBytes(50_000);
      await Promise.all(Array.from({ length: 50 }, (_, index) => sink.write(bytes.subarray(index * 1000, (index + 1) * 1000))));
      await sink.commit();
      expectSameBytes(await target.visible(), bytes);
    });
  });
}
