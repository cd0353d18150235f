import { memorySource } from "@ckptkit/core";
import { byteSourceContract, codeOf, faultySource, patternBytes } from "@ckptkit/testkit";
import { describe, expect, it } from "vitest";

const bytes = patternBytes(100);

byteSourceContract("faultySource without faults", (content) => faultySource(memorySource(content)));

describe("faultySource", () => {
  it("fails the reads it is told to, counted over read and readInto", async () => {
    const source = faultySource(memorySource(bytes), { failAt: [1, 2] });
    expect(await source.read(0, 4)).toEqual(bytes.slice(0, 4));
    expect(await codeOf(source.read(0, 4))).toBe("READ_FAILED");
    expect(await codeOf(Promise.resolve(source.readInto?.(new Uint8Array(4), 0)))).toBe("READ_FAILED");
    expect(await source.read(96, 100)).toEqual(bytes.slice(96));
    expect(source.reads).toBe(4);
  });

  it("rejects with the error it was given", async () => {
    const error = new Error("the cable was pulled");
    await expect(faultySource(memorySource(bytes), { failAt: 0, error }).read(0, 1)).rejects.toBe(error);
  });

  it("gives fewer bytes than asked for where it is told to", async () => {
    const source = faultySource(memorySource(bytes), { shortReadAt: [0, 1], missing: 3 });
    expect(await source.read(10, 20)).toEqual(bytes.slice(10, 17));
    const target = new Uint8Array(10);
    await source.readInto?.(target, 10);
    expect(target.subarray(0, 7)).toEqual(bytes.slice(10, 17));
    expect(target.subarray(7)).toEqual(new Uint8Array(3));
    expect(await source.read(10, 20)).toEqual(bytes.slice(10, 20));
  });

  it("changes every byte from a read on, and the original not at all", async () => {
    const content = bytes.slice();
    const source = faultySource(memorySource(content), { changeAfter: 1 });
    expect(await source.read(0, 100)).toEqual(bytes);
    expect(await source.read(0, 100)).toEqual(bytes.map((byte) => byte ^ 0xff));
    expect(content).toEqual(bytes);
  });

  it("hangs until the signal aborts", async () => {
    const source = faultySource(memorySource(bytes), { hangAfter: 0 });
    const reason = new Error("enough");
    const controller = new AbortController();
    const reading = source.read(0, 1, { signal: controller.signal });
    controller.abort(reason);
    await expect(reading).rejects.toBe(reason);
  });

  it("tells whether it was closed", async () => {
    const source = faultySource(memorySource(bytes));
    expect(source.closed).toBe(false);
    await source.close?.();
    expect(source.closed).toBe(true);
  });
});
