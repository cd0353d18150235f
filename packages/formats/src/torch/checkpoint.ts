import type { ByteSource, Checkpoint, Finding, Limits } from "@ckptkit/core";
import type { PickleValue } from "@ckptkit/pickle";
import { detectLayout } from "../layout.js";
import { describeTree } from "../metadata.js";
import { placeTensors } from "../place-tensors.js";
import { findTensors } from "../walk-tensors.js";
import type { FindStorage } from "./build-context.js";
import { TreeBuilder } from "./tree-builder.js";

/**
 * Makes the checkpoint of a torch file from its main pickle.
 *
 * @param parts.findings those of the container; what is found in the tree is added to them.
 */
export function torchCheckpoint(parts: {
  source: ByteSource;
  format: string;
  value: PickleValue;
  findStorage: FindStorage;
  limits: Limits;
  findings: Finding[];
}): Checkpoint {
  const { source, format, limits, findings } = parts;
  const builder = new TreeBuilder(parts.findStorage, limits);
  const tree = builder.build(parts.value);
  findings.push(...builder.findings);
  const tensors = placeTensors(tree, findTensors(tree, limits, findings));
  return {
    uri: source.name,
    format,
    layout: detectLayout(tree),
    byteLength: source.size,
    tensors,
    tree,
    metadata: describeTree(tree, limits),
    findings,
    close: async () => source.close?.(),
  };
}
