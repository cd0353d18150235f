import { CheckpointError, type Kernels } from "@ckptkit/core";

/**
 * The WebAssembly kernels; where they may not run (a Content-Security-Policy without 'wasm-unsafe-eval'), the plain JavaScript ones, which give
 * the same answers more slowly. Neither is loaded before it is asked for.
 */
export async function loadBrowserKernels(): Promise<Kernels> {
  try {
    const { loadKernels } = await import("@ckptkit/wasm");
    return await loadKernels();
  } catch (error) {
    if (!(error instanceof CheckpointError) || error.code !== "KERNELS_UNAVAILABLE") throw error;
    const { jsKernels } = await import("@ckptkit/wasm/js");
    return jsKernels();
  }
}
