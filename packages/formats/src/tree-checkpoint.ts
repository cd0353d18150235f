import { type Checkpoint, type Finding, type Limits, type Tree, withLimits } from "@ckptkit/core";
import { detectLayout } from "./layout.js";
import { describeTree } from "./metadata.js";
import { placeTensors } from "./place-tensors.js";
import { findTensors } from "./walk-tensors.js";

/** What {@link checkpointOfTree} takes besides the tree. */
export interface TreeCheckpointOptions {
  /** A name for people. */
  uri: string;
  /** Name of the format. Default `memory`. */
  format?: string | undefined;
  limits?: Partial<Limits> | undefined;
}

/**
 * A checkpoint that is a tree, as if it had been read from a file: to scan, hash or convert what was put together in memory.
 * Its tensors are read from the storages that the tree names.
 *
 * @throws {CheckpointLoadError} TENSOR_OUT_OF_BOUNDS, LIMIT_EXCEEDED
 * @example
 * const weights = checkpoint.tensors.map((tensor): [Tree, Tree] => [tensor.name, { kind: "tensor", tensor: tensor.spec }]);
 * const copy = checkpointOfTree({ kind: "map", type: "collections.OrderedDict", entries: weights }, { uri: "weights" });
 */
export function checkpointOfTree(tree: Tree, { uri, format = "memory", limits: overrides }: TreeCheckpointOptions): Checkpoint {
  const limits = withLimits(overrides);
  const findings: Finding[] = [];
  const tensors = placeTensors(tree, findTensors(tree, limits, findings));
  return {
    uri,
    format,
    layout: detectLayout(tree),
    byteLength: tensors.reduce((sum, { byteLength }) => sum + byteLength, 0),
    tensors,
    tree,
    metadata: describeTree(tree, limits),
    findings,
    close: async () => undefined,
  };
}
