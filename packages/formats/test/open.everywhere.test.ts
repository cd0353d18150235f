import { type Checkpoint, type CheckpointSourceError, memorySource } from "@ckptkit/core";
import { codeOf, type FaultySource, faultySource } from "@ckptkit/testkit";
import { loadFixture } from "@ckptkit/testkit/vite";
import { describe, expect, it } from "vitest";
import { openCheckpoint, READERS, torchZipReader } from "../src/index.js";
import { concat } from "./sparse-source.js";
import { dict, legacyStack, tensor, torchZip } from "./torch-file.js";
import { bytesOf } from "./zip-builder.js";

/** Files whose descriptions are not all within the first 64 KiB, so that opening takes several reads. */
const FILES: Readonly<Record<string, () => Promise<Uint8Array>>> = {
  "vit-tiny.ckpt": () => loadFixture("vit-tiny.ckpt"),
  "a long archive": async () => bytesOf(torchZip(dict({ text: "x".repeat(200_000), w: tensor() }))),
  "a long legacy file": async () => concat(legacyStack(dict({ text: "x".repeat(300_000) }), []), new Uint8Array(0)),
  "st-basic.safetensors": () => loadFixture("st-basic.safetensors"),
};
const files = Object.entries(FILES);

/** Opens and reads everything; closes. */
async function readAll(source: FaultySource, signal?: AbortSignal): Promise<Checkpoint> {
  const checkpoint = await openCheckpoint(source, { signal });
  for (const each of checkpoint.tensors) await each.read();
  await checkpoint.close();
  return checkpoint;
}

describe("opening", () => {
  it.each(files)("%s passes on whichever read fails, and closes the source when it is the one that opens", async (_, load) => {
    const bytes = await load();
    const whole = faultySource(memorySource(bytes));
    await openCheckpoint(whole);
    expect(whole.reads).toBeGreaterThan(0);
    for (let failAt = 0; failAt < whole.reads; failAt++) {
      const source = faultySource(memorySource(bytes), { failAt });
      expect(await codeOf(openCheckpoint(source))).toBe("READ_FAILED");
      expect(source.closed).toBe(true);
    }
  });

  it.each(files)("%s ends with the signal's reason, before it and during a read that hangs", async (_, load) => {
    const bytes = await load();
    const reason = new Error("no longer wanted");
    const before = faultySource(memorySource(bytes));
    await expect(openCheckpoint(before, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(before.closed).toBe(true);
    const controller = new AbortController();
    const hanging = openCheckpoint(faultySource(memorySource(bytes), { hangAfter: 0 }), { signal: controller.signal });
    controller.abort(reason);
    await expect(hanging).rejects.toBe(reason);
  });

  it.each(files)("%s closes the source with the checkpoint", async (_, load) => {
    const source = faultySource(memorySource(await load()));
    await readAll(source);
    expect(source.closed).toBe(true);
  });

  it("a tensor again works after one read of it has failed", async () => {
    const bytes = await loadFixture("lstm.pt");
    const opened = faultySource(memorySource(bytes));
    await torchZipReader.open(opened, {});
    const source = faultySource(memorySource(bytes), { failAt: opened.reads });
    const { tensors } = await torchZipReader.open(source, {});
    const first = tensors[0];
    const outcomes: (string | number)[] = [];
    for (let attempt = 0; attempt < 3; attempt++) {
      outcomes.push(
        await (first?.read() ?? Promise.resolve(new Uint8Array(0))).then(
          ({ length }) => length,
          (error: CheckpointSourceError) => error.code,
        ),
      );
    }
    expect(outcomes).toEqual(["READ_FAILED", first?.byteLength, first?.byteLength]);
  });

  it("two readers of one tensor at a time do not share each other's abort", async () => {
    const { tensors } = await openCheckpoint(memorySource(await loadFixture("rezip-deflate-conv.pt")));
    const controller = new AbortController();
    const largest = [...tensors].sort((a, b) => b.byteLength - a.byteLength)[0];
    const given = largest?.read({ signal: controller.signal });
    const kept = largest?.read();
    controller.abort(new Error("only this one"));
    await expect(given).rejects.toThrow("only this one");
    expect((await kept)?.length).toBe(largest?.byteLength);
  });

  it("asks only the readers that it was given", async () => {
    const bytes = await loadFixture("st-basic.safetensors");
    expect(await codeOf(openCheckpoint(memorySource(bytes), { readers: [torchZipReader] }))).toBe("UNKNOWN_FORMAT");
    const formats = READERS.map(({ format }) => format);
    expect(new Set(formats).size).toBe(formats.length);
  });
});
