import { CheckpointError, countSource, memorySource } from "@ckptkit/core";
import { damage } from "@ckptkit/testkit";
import { describe, expect, it } from "vitest";
import { openCheckpoint } from "../src/index.js";
import { openTemplateName } from "../src/template-name/index.js";

/** A file of the format, put together by hand. Replace it with files that the format's own software has written. */
function fileOf(entries: object, data: Float32Array): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(entries));
  const head = new TextEncoder().encode("template-name\n");
  const length = new Uint8Array(new Uint32Array([json.length]).buffer);
  return new Uint8Array([...head, ...length, ...json, ...new Uint8Array(data.buffer)]);
}

const FILE = fileOf(
  { "fc.weight": { dtype: "F32", shape: [2, 3], at: 0 }, "fc.bias": { dtype: "F32", shape: [2], at: 24 } },
  Float32Array.from({ length: 8 }, (_, index) => index),
);
const open = (bytes: Uint8Array) => openCheckpoint(memorySource(bytes, "a.template-name"));

describe("files of template-name", () => {
  it("are told by their content, and give their tensors", async () => {
    const { format, tensors } = await open(FILE);
    expect(format).toBe("template-name");
    expect(tensors.map(({ name, dtype, shape }) => [name, dtype, shape])).toEqual([
      ["fc.weight", "F32", [2, 3]],
      ["fc.bias", "F32", [2]],
    ]);
    const bytes = await tensors[1]?.read();
    expect([...new Float32Array(bytes?.slice().buffer ?? new ArrayBuffer(0))]).toEqual([6, 7]);
  });

  it("are opened without reading a tensor", async () => {
    const large = fileOf({ w: { dtype: "F32", shape: [100_000], at: 0 } }, new Float32Array(100_000));
    const source = countSource(memorySource(large, "large.template-name"));
    await openTemplateName(source);
    expect(source.counts.bytesRead).toBeLessThan(100);
  });

  it.each([
    ["a description that goes on behind the end", FILE.subarray(0, 30)],
    ["a tensor that lies outside", fileOf({ w: { dtype: "F32", shape: [9], at: 0 } }, new Float32Array(8))],
    ["an entry without a shape", fileOf({ w: { dtype: "F32", at: 0 } }, new Float32Array(8))],
  ])("are refused with a code for %s", async (_, bytes) => {
    await expect(open(bytes)).rejects.toBeInstanceOf(CheckpointError);
  });

  it("that are damaged at random give a coded error, or tensors within the file", async () => {
    for (let seed = 0; seed < 300; seed++) {
      const { bytes, description } = damage(FILE, seed);
      const opened = await open(bytes).catch((error: unknown) => error);
      if (opened instanceof Error) expect(opened, description).toBeInstanceOf(CheckpointError);
    }
  });
});
