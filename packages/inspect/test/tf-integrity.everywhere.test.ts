import { memorySource } from "@ckptkit/core";
import { openCheckpoint } from "@ckptkit/formats";
import { loadFixture } from "@ckptkit/testkit/vite";
import { jsKernels } from "@ckptkit/wasm/js";
import { describe, expect, it } from "vitest";
import { hashTensors } from "../src/index.js";
import { watchIntegrity } from "../src/integrity.js";

const kernels = jsKernels();
const DATA = "tf-names.data-00000-of-00001";

/** The checkpoint with one bit of one tensor flipped. */
async function damaged(path: string) {
  const bytes = new Map(await Promise.all(["tf-names.index", DATA].map(async (name) => [name, await loadFixture(name)] as const)));
  const open = async () => {
    const openSibling = async (name: string) => memorySource(bytes.get(name) ?? new Uint8Array(0), name);
    return openCheckpoint(await openSibling("tf-names.index"), { openSibling });
  };
  const tensor = (await open()).tensors.find((one) => one.path === path);
  const wanted = (await tensor?.read()) ?? new Uint8Array(0);
  const data = bytes.get(DATA) ?? new Uint8Array(0);
  const at = data.findIndex((_, index) => wanted.subarray(0, 12).every((byte, offset) => data[index + offset] === byte));
  data[at + 2] = (data[at + 2] ?? 0) ^ 1;
  return open();
}

describe.each(["layer/plain", "layer/rows"])("the CRC-32C of %s in a TensorFlow checkpoint", (path) => {
  it("is checked while tensors are hashed and converted, unless that is turned off", async () => {
    const checkpoint = await damaged(path);
    const expected = { code: "CRC_MISMATCH", message: expect.stringContaining(`"${path}" are damaged: CRC-32C`) };
    await expect(hashTensors(checkpoint, { kernels, algorithm: "xxh3" })).rejects.toMatchObject(expected);
    await expect(hashTensors(checkpoint, { kernels, algorithm: "xxh3", checkCrc: false })).resolves.toBeDefined();
    const watched = watchIntegrity(checkpoint, checkpoint.tensors, kernels); // as a conversion does
    await expect(watched.finish()).rejects.toMatchObject(expected);
    watched.cancel();
  });
});
