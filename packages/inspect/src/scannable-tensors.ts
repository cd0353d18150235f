import { type Checkpoint, decodedTensor, type ScanDType, type TensorHandle } from "@ckptkit/core";
import { scannedAs } from "./scanned-as.js";
import type { SelectTensor } from "./select.js";

/** Tensors by whether their values can be scanned. */
export interface Scannable {
  /** `numbers` is what is read: the tensor itself, or what its blocks decode to. */
  readonly chosen: { tensor: TensorHandle; numbers: TensorHandle; as: ScanDType }[];
  /** Those that cannot, and why. */
  readonly skipped: { path: string; dtype: string; reason: string }[];
}

/** The tensors that `select` chooses, all when it is left out. */
export function scannableTensors(checkpoint: Checkpoint, select: SelectTensor | undefined): Scannable {
  const found: Scannable = { chosen: [], skipped: [] };
  for (const tensor of checkpoint.tensors) {
    if (select && !select(tensor)) continue;
    const numbers = decodedTensor(tensor);
    const as = scannedAs(numbers.dtype);
    const reason = tensor.storage ? (as ? undefined : `values of ${tensor.dtype} cannot be scanned`) : "it has no bytes in the file";
    if (reason !== undefined) found.skipped.push({ path: tensor.path, dtype: tensor.dtype, reason });
    else if (as) found.chosen.push({ tensor, numbers, as });
  }
  return found;
}
