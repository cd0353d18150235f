import { createHash } from "node:crypto";
import { memorySource } from "@ckptkit/core";
import { hashSource, hashTensors } from "@ckptkit/inspect";
import { isSpecified } from "@ckptkit/testkit";
import { fixtures, readFixture } from "@ckptkit/testkit/node";
import { loadKernels } from "@ckptkit/wasm";
import { jsKernels } from "@ckptkit/wasm/js";
import { describe, expect, it } from "vitest";
import { byPath, openBytes, openFixture } from "./opened.js";

const kernels = await loadKernels();

/** A copy with one bit of a tensor's stored bytes flipped. */
async function withFlippedTensorBit(file: string): Promise<Uint8Array> {
  const bytes = await readFixture(file);
  const tensor = (await openFixture(file)).tensors.find(({ byteLength, contiguous }) => contiguous && byteLength >= 1000);
  if (!tensor) throw new Error(`${file} has no large tensor`);
  const at = Buffer.from(bytes).indexOf(Buffer.from(await tensor.read()));
  bytes[at + 500] = (bytes[at + 500] ?? 0) ^ 1;
  return bytes;
}

describe("hashTensors", () => {
  it.each(fixtures().filter(({ bytesWritten }) => bytesWritten !== false))(
    "gives the digests that torch gives for $file",
    async (entry) => {
      const { tensors } = await hashTensors(await openFixture(entry.file), { kernels, algorithm: "sha256" });
      const digests = byPath(tensors);
      for (const { path, sha256 } of entry.truth.tensors) {
        if (sha256 === undefined || !isSpecified(entry, path)) continue;
        expect(digests.get(path)?.shift()?.digest, path).toBe(sha256);
      }
    },
  );

  it("names the record whose bytes do not have the recorded CRC-32, unless it is told not to look", async () => {
    const damaged = await withFlippedTensorBit("vit-tiny.ckpt");
    const failure = hashTensors(await openBytes(damaged, "damaged.ckpt"), { kernels, algorithm: "xxh3" });
    await expect(failure).rejects.toMatchObject({ code: "CRC_MISMATCH", name: "CheckpointIntegrityError" });
    const unchecked = await hashTensors(await openBytes(damaged, "damaged.ckpt"), { kernels, algorithm: "xxh3", checkCrc: false });
    expect(unchecked.tensors.length).toBeGreaterThan(0);
  });
});

describe("hashSource", () => {
  it.each(["sha256", "md5"] as const)("gives the %s that other tools give", async (algorithm) => {
    const bytes = await readFixture("vit-tiny.ckpt");
    const { digest, byteLength } = await hashSource(memorySource(bytes), { kernels, algorithm });
    expect(digest).toBe(createHash(algorithm).update(bytes).digest("hex"));
    expect(byteLength).toBe(bytes.length);
  });

  it.each(fixtures("torch-zip").filter(({ bytesWritten }) => bytesWritten !== false))(
    "accepts every CRC-32 of $file while its bytes go by",
    async ({ file }) => {
      const { digest } = await hashSource(memorySource(await readFixture(file)), { kernels, algorithm: "crc32" });
      expect(digest).toMatch(/^[0-9a-f]{8}$/);
    },
  );

  it.each(["vit-tiny.ckpt", "conv-bn.pt"])("notices a flipped bit in a tensor of %s", async (file) => {
    const damaged = await withFlippedTensorBit(file);
    await expect(hashSource(memorySource(damaged), { kernels, algorithm: "sha256" })).rejects.toMatchObject({ code: "CRC_MISMATCH" });
    const { digest } = await hashSource(memorySource(damaged), { kernels: jsKernels(), algorithm: "sha256", checkCrc: false });
    expect(digest).toBe(createHash("sha256").update(damaged).digest("hex"));
  });

  it("hashes files that are no checkpoints, empty ones too", async () => {
    for (const bytes of [
      new Uint8Array(0),
      new Uint8Array([1, 2, 3]),
      new TextEncoder().encode("PK\u0003\u0004 not really a zip archive at all"),
    ]) {
      const { digest } = await hashSource(memorySource(bytes), { kernels, algorithm: "sha256" });
      expect(digest).toBe(createHash("sha256").update(bytes).digest("hex"));
    }
  });
});
