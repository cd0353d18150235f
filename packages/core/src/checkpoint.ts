import type { Finding } from "./findings.js";
import type { Json } from "./json.js";
import type { TensorHandle } from "./tensor.js";
import type { Tree } from "./tree.js";

/** How the training framework arranged what it saved. */
export type Layout = "lightning" | "pytorch" | "state_dict";

/** A checkpoint that was opened: its description is complete, its tensors' bytes are still in the file. */
export interface Checkpoint {
  /** Where it was opened from, without credentials. */
  readonly uri: string;
  /** Container format: `torch-zip`, `torch-legacy`, `safetensors`, `safetensors-sharded` ... */
  readonly format: string;
  readonly layout: Layout;
  /** Bytes of the file, or of all files together. */
  readonly byteLength: number;
  /** Every reference to a tensor, in the order of the file's own structure; tied tensors stand here more than once. */
  readonly tensors: readonly TensorHandle[];
  /** Everything that the file says, as inert data. */
  readonly tree: Tree;
  /** The non-tensor values that describe the checkpoint, as plain JSON: epoch, hyper-parameters, versions ... */
  readonly metadata: { readonly [key: string]: Json };
  readonly findings: readonly Finding[];
  /** Closes the files behind it. Tensors cannot be read afterwards. */
  close(): Promise<void>;
}
