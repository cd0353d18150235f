// SHA-256 of many tensors in memory, where several messages can be hashed at a time.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { largeSafetensors } from "../lib/large-files.mjs";
import { peer } from "../lib/turns.mjs";

export const works = [
  {
    name: "sha256-tensors",
    task: ({ quick }) => `SHA-256 of every tensor of a file in memory: ${quick ? 64 : 256} tensors of 1 MiB`,
    targets: [
      { ours: "ckptkit: WebAssembly", peer: "hash-wasm", atLeast: 3 },
      { ours: "ckptkit: in Node", peer: "node:crypto", atLeast: 0.95 },
    ],
    async prepare(kit) {
      const { hashTensors, loadKernels, nodePlatform, openSource } = kit.ckptkit;
      const { path, tensors, byteLength } = largeSafetensors(kit.folder, "many.safetensors", {
        tensors: kit.quick ? 64 : 256,
        tensorBytes: 2 ** 20,
      });
      const file = readFileSync(path);
      // As pages read files: into new memory. A Blob of Node's would take longer than the hashes.
      const read = async (start, end) => file.subarray(start, end);
      const checkpoint = await openSource({ size: file.length, name: "many.safetensors", read });
      const each = (use) => ({ answer: tensors.map(({ start, end }) => use(file.subarray(start, end))) });
      const ours = (kernels) => async () => {
        const { tensors: hashed } = await hashTensors(checkpoint, { kernels, algorithm: "sha256" });
        return { answer: hashed.map(({ digest }) => digest) };
      };
      return {
        bytes: byteLength,
        tools: {
          "ckptkit: WebAssembly": ours(await loadKernels()),
          "ckptkit: in Node": ours(await nodePlatform().kernels()),
          "node:crypto": () => each((bytes) => createHash("sha256").update(bytes).digest("hex")),
          "hash-wasm": await peer(async () => {
            const hasher = await (await import("hash-wasm")).createSHA256();
            return () => each((bytes) => hasher.init().update(bytes).digest("hex"));
          }),
        },
      };
    },
  },
];
