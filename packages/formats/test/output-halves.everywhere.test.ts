import type { ByteSink, OutputTensor } from "@ckptkit/core";
import { expectSameBytes } from "@ckptkit/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { writeSafetensors } from "../src/index.js";
import { output, type Sample, samples } from "./output-tensors.js";
import { memoryFiles } from "./sinks.js";

/** A tensor whose bytes can be had from anywhere, some time after they were asked for. */
function filled(sample: Sample, wait: () => Promise<void> = async () => {}): OutputTensor {
  return {
    ...output(sample),
    async fill(target, start) {
      await wait();
      target.set(sample.bytes.subarray(start, start + target.length));
    },
  };
}

const bytesOf = (name: string, byteLength: number): Sample => ({
  name,
  dtype: "U8",
  shape: [byteLength],
  bytes: Uint8Array.from({ length: byteLength }, (_, index) => index % 251),
});
const tick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));
const FILE = { fileName: "out.safetensors" };

describe("tensors whose bytes can be had from anywhere", () => {
  it("are written as the others are, with a buffer of any size, whatever comes between them", async () => {
    await fc.assert(
      fc.asyncProperty(
        samples(["F32", "BF16", "I64", "U8"]),
        fc.array(fc.boolean(), { minLength: 20, maxLength: 20 }),
        fc.integer({ min: 16, max: 600 }),
        async (all, fills, bufferBytes) => {
          const [expected, found] = [memoryFiles(), memoryFiles()];
          await writeSafetensors(
            all.map((sample) => output(sample)),
            expected.create,
            { ...FILE, buffer: new Uint8Array(64) },
          );
          const tensors = all.map((sample, index) => (fills[index % fills.length] ? filled(sample) : output(sample)));
          await writeSafetensors(tensors, found.create, { ...FILE, buffer: new Uint8Array(bufferBytes) });
          const [a, b] = [expected.source("out.safetensors"), found.source("out.safetensors")];
          expectSameBytes(await b.read(0, b.size), await a.read(0, a.size));
        },
      ),
      { numRuns: 60 },
    );
  });

  it("are read while those before them are being written, and never into what is being written", async () => {
    const sample = bytesOf("large", 1000);
    const written: number[] = [];
    let writing = false;
    let readWhileWriting = 0;
    const sink: ByteSink = {
      name: "slow",
      position: 0,
      async write(bytes) {
        writing = true;
        for (let turn = 0; turn < 3; turn++) await tick();
        written.push(...bytes);
        writing = false;
      },
      async commit() {},
      async abort() {},
    };
    const tensor = filled(sample, async () => {
      if (writing) readWhileWriting++;
      await tick();
    });
    await writeSafetensors([tensor], async () => sink, { ...FILE, buffer: new Uint8Array(256) });
    expectSameBytes(Uint8Array.from(written.slice(-1000)), sample.bytes);
    expect(readWhileWriting).toBeGreaterThan(5);
  });

  it("are asked for a few at a time, however many there are", async () => {
    let running = 0;
    let most = 0;
    const tensors = Array.from({ length: 300 }, (_, index) =>
      filled(bytesOf(`tensor ${index}`, 16), async () => {
        most = Math.max(most, ++running);
        await tick();
        running--;
      }),
    );
    await writeSafetensors(tensors, memoryFiles().create, { ...FILE, buffer: new Uint8Array(8192) });
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(8);
  });

  it("leave nobody writing into the buffer when one of them fails", async () => {
    const files = memoryFiles();
    let running = 0;
    const slow = async (): Promise<void> => {
      running++;
      await tick();
      await tick();
      running--;
    };
    const broken = filled(bytesOf("broken", 16), () => Promise.reject(new Error("the source is gone")));
    const tensors = [filled(bytesOf("a", 16), slow), broken, filled(bytesOf("z", 16), slow)];
    await expect(writeSafetensors(tensors, files.create, { ...FILE, buffer: new Uint8Array(1024) })).rejects.toThrow("the source is gone");
    expect(running).toBe(0);
    expect(files.visible()).toEqual([]);
  });
});
