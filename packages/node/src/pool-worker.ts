import { parentPort } from "node:worker_threads";
import { openDescriptor, servePool } from "@ckptkit/core";
import { loadKernels } from "@ckptkit/wasm";
import { jsKernels } from "@ckptkit/wasm/js";
import { withNativeHashes } from "./native-hashes.js";
import { FILE_KIND } from "./pool/file-descriptor.js";
import { workerFile } from "./pool/worker-file.js";

// This file is a worker's script. In the main thread there is no port, and nothing happens.
if (parentPort) {
  const port = parentPort;
  port.on(
    "message",
    servePool({
      post: (answer) => port.postMessage(answer),
      open: async ({ descriptor }) => (descriptor.kind === FILE_KIND ? workerFile(descriptor) : openDescriptor(descriptor)),
      loadKernels: async (module) => withNativeHashes(module ? await loadKernels({ module }) : jsKernels()),
    }),
  );
}
