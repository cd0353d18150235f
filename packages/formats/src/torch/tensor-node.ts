import { isNode, type TensorNode, type TensorSpec, type Tree } from "@ckptkit/core";

/** Whether a tree is a tensor. */
export const isTensor = (tree: Tree | undefined): tree is TensorNode => isNode(tree) && tree.kind === "tensor";

/** The node of a tensor. */
export const tensorNode = (tensor: TensorSpec): TensorNode => ({ kind: "tensor", tensor });
