import { type Checkpoint, type ListNode, type MapNode, memorySource, type TensorData, type Tree } from "@ckptkit/core";
import type { Notice, StageOptions } from "@ckptkit/core/pipeline";
import { checkpointOfTree, openCheckpoint } from "@ckptkit/formats";
import { loadFixture } from "@ckptkit/testkit/vite";
import { ReferenceModel } from "../src/model/index.js";
import { asHandle } from "../src/tensors/views.js";
import { tensorOf } from "./tensors.js";

/** Opens a fixture, everywhere. */
export const openFixture = async (file: string): Promise<Checkpoint> => openCheckpoint(memorySource(await loadFixture(file), file));

/** Shapes by name. */
export type Shapes = Readonly<Record<string, readonly number[]>>;

/** F32 values for shapes: element i of tensor n is 1000 n + i + `from`. */
export function valuesOf(shapes: Shapes, from = 0): Map<string, TensorData> {
  return new Map(Object.entries(shapes).map(([name, shape], at) => [name, tensorOf("F32", shape, (index) => from + 1000 * at + index)]));
}

/** A map of the tree. */
export const mapOf = (entries: Readonly<Record<string, Tree>>): MapNode => ({
  kind: "map",
  type: "dict",
  entries: Object.entries(entries),
});

/** A list of the tree. */
export const listOf = (...items: Tree[]): ListNode => ({ kind: "list", type: "list", items });

/** A state dict as a tree. */
export function weightsTree(values: ReadonlyMap<string, TensorData>): Tree {
  const entries = [...values].map(([name, tensor]): [Tree, Tree] => [name, { kind: "tensor", tensor: asHandle(tensor, name).spec }]);
  return { kind: "map", type: "collections.OrderedDict", entries };
}

/** A checkpoint in memory: a state dict, or under `state_dict` beside other entries. */
export function checkpointOf(
  values: ReadonlyMap<string, TensorData>,
  rest?: Readonly<Record<string, Tree>>,
  uri = "in-memory.ckpt",
): Checkpoint {
  const weights = weightsTree(values);
  return checkpointOfTree(rest ? mapOf({ ...rest, state_dict: weights }) : weights, { uri });
}

/** A model of F32 parameters. */
export const modelOf = (shapes: Shapes): ReferenceModel =>
  ReferenceModel.of(Object.entries(shapes).map(([name, shape]) => ({ name, dtype: "F32", shape })));

/** Options of a stage that keep what it tells. */
export function noting(): StageOptions & { notices: string[] } {
  const notices: string[] = [];
  return { notices, onNotice: ({ message }: Notice) => void notices.push(message) };
}
