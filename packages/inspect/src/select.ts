import type { TensorHandle } from "@ckptkit/core";
import picomatch from "picomatch";

/** Chooses tensors. */
export type SelectTensor = (tensor: TensorHandle) => boolean;

/**
 * Chooses the tensors whose path or name matches a glob. `*` stands for any characters, dots and slashes as well;
 * `?` for one; `{a,b}` for either; `[0-9]` for one of a range.
 *
 * @example const attention = globFilter("*.attn.*.weight");
 */
export function globFilter(pattern: string): SelectTensor {
  const matches = picomatch(pattern, { bash: true, dot: true, nonegate: true });
  return (tensor) => matches(tensor.path) || matches(tensor.name);
}
