import type { Checkpoint, KernelPool, Kernels, TensorHandle } from "@ckptkit/core";
import type { CheckpointContext } from "@ckptkit/core/pipeline";
import { jsKernels } from "@ckptkit/wasm/js";

/** The kernels of a context: its own, its platform's, or the plain JavaScript ones. */
export async function kernelsOf({ kernels, platform }: CheckpointContext): Promise<Kernels> {
  return kernels ?? (await platform?.kernels()) ?? jsKernels();
}

/** The threads of a context's platform, where there are any and the work on the chosen tensors is worth them. */
export async function poolOf(
  { platform }: CheckpointContext,
  { tensors }: Checkpoint,
  select: ((tensor: TensorHandle) => boolean) | undefined,
): Promise<KernelPool | undefined> {
  if (!platform?.pool) return undefined;
  return platform.pool({ byteLength: tensors.reduce((sum, tensor) => (select && !select(tensor) ? sum : sum + tensor.byteLength), 0) });
}
