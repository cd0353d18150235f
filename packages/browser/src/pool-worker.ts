import { openDescriptor, type PoolRequest, servePool } from "@ckptkit/core";
import { loadKernels } from "@ckptkit/wasm";
import { jsKernels } from "@ckptkit/wasm/js";

/** What of a worker's global scope is used here: the library of types for pages knows none of it. */
interface WorkerScope {
  postMessage(message: unknown): void;
  onmessage: ((event: MessageEvent<PoolRequest>) => void) | null;
}

// This file is a worker's script: its global scope is a worker's.
const scope = globalThis as unknown as WorkerScope;

const receive = servePool({
  post: (answer) => scope.postMessage(answer),
  open: ({ descriptor }) => openDescriptor(descriptor),
  loadKernels: async (module) => (module ? loadKernels({ module }) : jsKernels()),
  hold: (lock) =>
    new Promise((resolve) => {
      // Never given back while this worker lives.
      void navigator.locks.request(lock, () => {
        resolve();
        return new Promise(() => {});
      });
    }),
});

scope.onmessage = ({ data }) => receive(data);
