import { memorySource } from "@ckptkit/core";
import { describe, expect, it } from "vitest";
import { openCheckpoint } from "../src/index.js";

const bytes = (magic: string, ...more: number[]): Uint8Array<ArrayBuffer> =>
  Uint8Array.from([...magic, ...more], (one) => (typeof one === "string" ? one.charCodeAt(0) : one));

describe("models in containers older than GGUF", () => {
  it.each([
    ["lmgg", [0x99, 0xca, 0, 0], { container: "ggml" }],
    ["fmgg", [1, 0, 0, 0], { container: "ggmf", version: 1 }],
    ["tjgg", [3, 0, 0, 0], { container: "ggjt", version: 3 }],
    ["algg", [1, 0, 0, 0], { container: "ggla", version: 1 }],
    ["tjgg", [], { container: "ggjt" }],
  ])("that begin with %s are named, and what to do with them is said", async (magic, more, metadata) => {
    const checkpoint = await openCheckpoint(memorySource(bytes(magic, ...more), "model.bin"));
    expect([checkpoint.format, checkpoint.metadata, checkpoint.tensors]).toEqual(["ggml", metadata, []]);
    expect(checkpoint.findings).toMatchObject([{ rule: "ggml-not-read", message: expect.stringContaining("GGUF") }]);
  });
});
