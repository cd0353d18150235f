import { formatSize } from "@ckptkit/core";
import { estimateMemory } from "@ckptkit/inspect";
import { describe, expect, it } from "vitest";
import { openFixture } from "./opened.js";

describe("estimateMemory", () => {
  it("counts the weights of the model, not its optimizer, and four float32 copies of each for Adam", async () => {
    const { inferenceBytes, adamTrainingBytes } = estimateMemory(await openFixture("vit-tiny.ckpt"));
    expect(inferenceBytes).toBe(32_778 * 4); // its parameters, all float32
    expect(adamTrainingBytes).toBe(32_778 * 16);
  });

  it("counts tied weights once", async () => {
    const checkpoint = await openFixture("ties.pt");
    const all = checkpoint.tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);
    expect(estimateMemory(checkpoint).inferenceBytes).toBeLessThan(all);
  });
});

describe("formatSize", () => {
  it.each([
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1.00 KiB"],
    [1_572_864, "1.50 MiB"],
    [1_073_741_823, "1.00 GiB"],
  ])("shows %d bytes as %s", (bytes, text) => expect(formatSize(bytes)).toBe(text));
});
