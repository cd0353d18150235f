import type { Kernels } from "@ckptkit/core";
import type { CheckpointContext } from "@ckptkit/core/pipeline";
import { jsKernels } from "@ckptkit/wasm/js";

/** The kernels of a context: its own, its platform's, or the plain JavaScript ones. */
export async function kernelsOf({ kernels, platform }: CheckpointContext): Promise<Kernels> {
  return kernels ?? (await platform?.kernels()) ?? jsKernels();
}
