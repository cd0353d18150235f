import { type ByteSource, type Checkpoint, memorySource } from "@ckptkit/core";
import { codeOf } from "@ckptkit/testkit";
import { loadFixture, loadManifest } from "@ckptkit/testkit/vite";
import { describe, expect, it } from "vitest";
import { openCheckpoint, openCheckpointSync, openUri, openUriSync } from "../src/index.js";

const manifest = await loadManifest();

/** Everything that a checkpoint says of itself, for a comparison. */
const described = ({ uri, format, layout, byteLength, tensors, metadata, findings }: Checkpoint): unknown => ({
  uri,
  format,
  layout,
  byteLength,
  metadata,
  findings,
  tensors: tensors.map(({ path, name, dtype, shape, strides, byteLength: bytes }) => ({ path, name, dtype, shape, strides, bytes })),
});

/** What a function gives, or the code of the error that it throws. */
function codeOfSync(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error instanceof Error && "code" in error ? error.code : error;
  }
}

describe("opening without waiting", () => {
  it.each(manifest.filter(({ format }) => format !== "safetensors-sharded").map(({ file }) => file))(
    "gives the same checkpoint as opening with waiting, or says that it must wait: %s",
    async (file) => {
      const bytes = await loadFixture(file);
      const waited = await openCheckpoint(memorySource(bytes, file)).catch((error: { code?: string }) => error.code);
      const now = codeOfSync(() => openCheckpointSync(memorySource(bytes, file)));
      if (now === "STAGE_ASYNC_ONLY") expect(file).toContain("deflate");
      else if (typeof waited === "string") expect(now).toBe(waited);
      else {
        expect(described(now as Checkpoint)).toEqual(described(waited as Checkpoint)); // neither threw
        const [tensor] = (now as Checkpoint).tensors;
        expect(await tensor?.read().catch((error: { code?: string }) => error.code)).toEqual(
          await (waited as Checkpoint).tensors[0]?.read().catch((error: { code?: string }) => error.code),
        );
      }
    },
  );

  it("opens sharded checkpoints with their shards", async () => {
    const index = "st-sharded.safetensors.index.json";
    const parts = manifest.find(({ file }) => file === index)?.parts ?? [];
    const files = new Map(await Promise.all([index, ...parts].map(async (file) => [file, await loadFixture(file)] as const)));
    const openSync = (name: string): ByteSource => memorySource(files.get(name) ?? new Uint8Array(0), name);
    const waited = await openUri({ open: async (name) => openSync(name) }, index);
    expect(described(openUriSync({ openSync }, index))).toEqual(described(waited));
  });

  it("names a source that can only be waited for", async () => {
    const { readSync: _, ...asynchronous } = memorySource(await loadFixture("st-basic.safetensors"), "remote.safetensors");
    expect(() => openCheckpointSync(asynchronous)).toThrow(
      expect.objectContaining({ code: "STAGE_ASYNC_ONLY", message: expect.stringContaining("remote.safetensors") }),
    );
  });

  it("refuses what opening with waiting refuses, and closes the source", async () => {
    for (const bytes of [new Uint8Array(0), new Uint8Array(1000).fill(7), (await loadFixture("vit-tiny.ckpt")).slice(0, 100_000)]) {
      let closed = 0;
      const source = { ...memorySource(bytes, "bad.ckpt"), close: async () => void closed++ };
      expect(codeOfSync(() => openCheckpointSync(source))).toBe(await codeOf(openCheckpoint(memorySource(bytes, "bad.ckpt"))));
      expect(closed).toBe(1);
    }
  });
});
