import { blobSource, memorySource } from "@ckptkit/core";
import { openCheckpoint } from "@ckptkit/formats";
import { hashTensors, scanCheckpoint } from "@ckptkit/inspect";
import { kernelPoolContract } from "@ckptkit/testkit";
import { loadFixture, loadManifest } from "@ckptkit/testkit/vite";
import { loadKernels } from "@ckptkit/wasm";
import { describe, expect, it } from "vitest";
import { workerPool } from "../src/index.js";
import { startPoolWorker } from "../src/start-pool-worker.js";

const kernels = await loadKernels();

describe("in a page", () => {
  kernelPoolContract("Web Workers", {
    async open(size) {
      const workers: Worker[] = [];
      const createWorker = (): Worker => {
        const worker = startPoolWorker();
        workers.push(worker);
        return worker;
      };
      return { pool: await workerPool({ size, createWorker }), kill: () => workers[0]?.terminate() };
    },
    sources: async (bytes, name) => ({ blob: blobSource(new Blob([bytes]), name), memory: memorySource(bytes, name) }),
    files: async () => (await loadManifest()).map(({ file }) => file),
    load: loadFixture,
    openCheckpoint,
    scan: (checkpoint, options) => scanCheckpoint(checkpoint, { kernels, ...options }),
    hash: (checkpoint, options) => hashTensors(checkpoint, { kernels, algorithm: "xxh3", ...options }),
  });

  it("says why no workers can be had, where none can", async () => {
    await expect(workerPool({ workerUrl: "/no-such-script.js" })).rejects.toMatchObject({ code: "WORKERS_UNAVAILABLE" });
    const forbidden = (): Worker => {
      throw new DOMException("not here", "SecurityError");
    };
    await expect(workerPool({ createWorker: forbidden })).rejects.toMatchObject({
      code: "WORKERS_UNAVAILABLE",
      message: expect.stringContaining("not here"),
    });
  });
});
