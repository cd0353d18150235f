import { workerPool } from "@ckptkit/browser";
import { CheckpointError, type KernelPool, type Kernels } from "@ckptkit/core";
import { loadKernels } from "@ckptkit/wasm";

/** What works on bytes: this thread's kernels, and the workers that share the work where there are any. */
export interface Machinery {
  readonly kernels: Kernels;
  readonly pool: KernelPool | undefined;
}

let machinery: Promise<Machinery> | undefined;

/** The kernels and workers of this page, started by the first who needs them. */
export function useMachinery(): Promise<Machinery> {
  machinery ??= start().catch((error: unknown) => {
    machinery = undefined;
    throw error;
  });
  return machinery;
}

async function start(): Promise<Machinery> {
  const [kernels, pool] = await Promise.all([loadAnyKernels(), workerPool().catch(withoutPool)]);
  return { kernels, pool };
}

async function loadAnyKernels(): Promise<Kernels> {
  try {
    return await loadKernels();
  } catch (error) {
    if (!(error instanceof CheckpointError) || error.code !== "KERNELS_UNAVAILABLE") throw error;
    const { jsKernels } = await import("@ckptkit/wasm/js");
    return jsKernels();
  }
}

/** Where workers cannot start other workers, this one does the work alone: slower, with the same results. */
function withoutPool(error: unknown): undefined {
  if (error instanceof CheckpointError && error.code === "WORKERS_UNAVAILABLE") return undefined;
  throw error;
}
