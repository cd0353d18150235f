import type { TensorHandle } from "@ckptkit/core";
import picomatch from "picomatch";

/** Chooses tensors. */
export type SelectTensor = (tensor: TensorHandle) => boolean;

/**
 * Tells whether a whole text matches a glob. `*` stands for any characters, dots and slashes as well; `?` for one; `{a,b}` for
 * either; `[0-9]` for one of a range.
 *
 * @example globMatcher("*.attn.*.weight")("blocks.0.attn.qkv.weight") // true
 */
export function globMatcher(pattern: string): (text: string) => boolean {
  const matches = picomatch(pattern, { bash: true, dot: true, nonegate: true });
  return (text) => matches(text); // and no second argument, which array methods give and picomatch has a use for
}

/**
 * Chooses the tensors whose path or name matches a glob, see {@link globMatcher}.
 *
 * @example const attention = globFilter("*.attn.*.weight");
 */
export function globFilter(pattern: string): SelectTensor {
  const matches = globMatcher(pattern);
  return (tensor) => matches(tensor.path) || matches(tensor.name);
}
