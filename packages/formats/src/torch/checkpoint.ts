import type { ByteSource, Checkpoint, Finding, Limits } from "@ckptkit/core";
import type { PickleValue } from "@ckptkit/pickle";
import { detectLayout, placeTensors } from "../layout.js";
import { describeTree } from "../metadata.js";
import { findTensors } from "../walk-tensors.js";
import { type FindStorage, TreeBuilder } from "./tree-builder.js";

/** Makes the checkpoint of a torch file from its main pickle. */
export function torchCheckpoint(parts: {
  source: ByteSource;
  format: string;
  value: PickleValue;
  findStorage: FindStorage;
  limits: Limits;
  findings: Finding[];
}): Checkpoint {
  const builder = new TreeBuilder(parts.findStorage, parts.limits);
  const tree = builder.build(parts.value);
  const findings = [...parts.findings, ...builder.findings];
  const tensors = placeTensors(tree, findTensors(tree, parts.limits, findings));
  return {
    uri: parts.source.name,
    format: parts.format,
    layout: detectLayout(tree),
    byteLength: parts.source.size,
    tensors,
    tree,
    metadata: describeTree(tree),
    findings,
    close: async () => parts.source.close?.(),
  };
}
