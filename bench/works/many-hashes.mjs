// SHA-256 of many tensors of a file, where several messages can be hashed at a time.
import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { largeSafetensors } from "../lib/large-files.mjs";
import { peer } from "../lib/turns.mjs";

/** Reads every tensor of the file into one buffer and hands it over. */
function eachTensor(path, tensors, use) {
  const file = openSync(path);
  const buffer = new Uint8Array(Math.max(...tensors.map(({ end, start }) => end - start)));
  try {
    return tensors.map(({ start, end }) => {
      readSync(file, buffer, 0, end - start, start);
      return use(buffer.subarray(0, end - start));
    });
  } finally {
    closeSync(file);
  }
}

export const works = [
  {
    name: "sha256-tensors",
    task: "SHA-256 of every tensor of a file: 256 tensors of 1 MiB",
    targets: [
      { ours: "ckptkit: WebAssembly", peer: "hash-wasm", atLeast: 3 },
      { ours: "ckptkit: in Node", peer: "node:crypto", atLeast: 0.95 },
    ],
    async prepare(kit) {
      const { loadKernels, nodePlatform, openCheckpoint, hashTensors } = kit.ckptkit;
      const { path, tensors, byteLength } = largeSafetensors(kit.folder, "many.safetensors", {
        tensors: kit.quick ? 64 : 256,
        tensorBytes: 2 ** 20,
      });
      const checkpoint = await openCheckpoint(path);
      const ours = (kernels) => async () => {
        const { tensors: hashed } = await hashTensors(checkpoint, { kernels, algorithm: "sha256" });
        return { answer: hashed.map(({ digest }) => digest) };
      };
      return {
        bytes: byteLength,
        tools: {
          "ckptkit: WebAssembly": ours(await loadKernels()),
          "ckptkit: in Node": ours(await nodePlatform().kernels()),
          "node:crypto": () => ({ answer: eachTensor(path, tensors, (bytes) => createHash("sha256").update(bytes).digest("hex")) }),
          "hash-wasm": await peer(async () => {
            const hasher = await (await import("hash-wasm")).createSHA256();
            return () => ({ answer: eachTensor(path, tensors, (bytes) => hasher.init().update(bytes).digest("hex")) });
          }),
        },
        close: () => checkpoint.close(),
      };
    },
  },
];
