import type { MapNode, PathKey, TensorGroup, Tree } from "@ckptkit/core";
import type { OnnxGraph, OnnxModel, OnnxSparseTensor, OnnxTensor } from "./description.js";

/** Makes a part of the tree of a tensor. */
export type BuildTensor = (tensor: OnnxTensor, keys: readonly PathKey[], group: TensorGroup) => Tree;

/** Every tensor of a model, in its own order: those of graphs within graphs too. */
export function* tensorsOf({ graph, functions, training }: OnnxModel): Generator<OnnxTensor> {
  yield* tensorsOfGraph(graph);
  for (const made of functions) yield* tensorsOfGraph(made.graph);
  for (const { initialization, algorithm } of training) {
    yield* tensorsOfGraph(initialization);
    yield* tensorsOfGraph(algorithm);
  }
}

function* tensorsOfGraph({ initializers, sparse, nodes }: OnnxGraph): Generator<OnnxTensor> {
  yield* initializers;
  for (const one of sparse) yield* partsOf(one);
  for (const { attributes } of nodes) {
    for (const attribute of attributes) {
      yield* attribute.tensors;
      for (const one of attribute.sparse) yield* partsOf(one);
      for (const graph of attribute.graphs) yield* tensorsOfGraph(graph);
    }
  }
}

function* partsOf({ values, indices }: OnnxSparseTensor): Generator<OnnxTensor> {
  if (values) yield values;
  if (indices) yield indices;
}

/**
 * The tensors of a model by their names: initializers, and what `Constant` nodes give, by the name of their output. Tensors of other nodes
 * stand under the node's name and the attribute's; those of branches and loops under the node that runs them; those of functions and trainings
 * under `functions` and `training_info`.
 */
export function modelTree(model: OnnxModel, build: BuildTensor): MapNode {
  const root = new Branch([], build, "model");
  root.addGraph(model.graph);
  if (model.functions.length > 0) {
    const functions = root.branch("functions");
    for (const { domain, name, graph } of model.functions) functions.branch(domain === "" ? name : `${domain}::${name}`).addGraph(graph);
  }
  if (model.training.length > 0) {
    const trainings = root.branch("training_info", "other");
    for (const [index, { initialization, algorithm }] of model.training.entries()) {
      const training = trainings.branch(String(index));
      training.branch("initialization").addGraph(initialization);
      training.branch("algorithm").addGraph(algorithm);
    }
  }
  return root.pruned();
}

/** A map of the tree that is being filled. Two things of one name get names of their own. */
class Branch {
  readonly #keys: readonly PathKey[];
  readonly #build: BuildTensor;
  readonly #group: TensorGroup;
  readonly #names = new Set<string>();
  readonly #entries: [string, Tree | Branch][] = [];

  constructor(keys: readonly PathKey[], build: BuildTensor, group: TensorGroup) {
    this.#keys = keys;
    this.#build = build;
    this.#group = group;
  }

  /** A map within this one. */
  branch(name: string, group = this.#group): Branch {
    const own = this.#ownName(name);
    const branch = new Branch([...this.#keys, own], this.#build, group);
    this.#entries.push([own, branch]);
    return branch;
  }

  addGraph({ initializers, sparse, nodes }: OnnxGraph): void {
    for (const tensor of initializers) this.#addTensor(tensor.name, tensor);
    for (const one of sparse) this.#addSparse(one.values?.name ?? "", one);
    for (const { operator, domain, name, output, attributes } of nodes) {
      const isConstant = operator === "Constant" && domain === "";
      const label = isConstant && output !== "" ? output : name || output || operator;
      const [first] = attributes;
      if (isConstant && attributes.length === 1 && first && first.graphs.length === 0) {
        for (const tensor of first.tensors) this.#addTensor(label, tensor);
        for (const one of first.sparse) this.#addSparse(label, one);
        continue;
      }
      const branch = this.branch(label);
      for (const attribute of attributes) {
        for (const tensor of attribute.tensors) branch.#addTensor(attribute.name, tensor, "other");
        for (const one of attribute.sparse) branch.#addSparse(attribute.name, one, "other");
        for (const graph of attribute.graphs) branch.branch(attribute.name).addGraph(graph);
      }
    }
  }

  /** The map, without those in it that hold nothing. */
  pruned(): MapNode {
    const entries = this.#entries.flatMap(([name, entry]): [Tree, Tree][] => {
      if (!(entry instanceof Branch)) return [[name, entry]];
      const map = entry.pruned();
      return map.entries.length > 0 ? [[name, map]] : [];
    });
    return { kind: "map", type: "dict", entries };
  }

  #addTensor(name: string, tensor: OnnxTensor, group = this.#group): void {
    const own = this.#ownName(name);
    this.#entries.push([own, this.#build(tensor, [...this.#keys, own], group)]);
  }

  #addSparse(name: string, { values, indices, shape }: OnnxSparseTensor, group = this.#group): void {
    const own = this.#ownName(name);
    const parts: [Tree, Tree][] = [["dims", { kind: "list", type: "list", items: [...shape] }]];
    if (values) parts.push(["values", this.#build(values, [...this.#keys, own, "values"], group)]);
    if (indices) parts.push(["indices", this.#build(indices, [...this.#keys, own, "indices"], group)]);
    this.#entries.push([
      own,
      { kind: "object", type: "onnx.SparseTensorProto", attributes: { kind: "map", type: "dict", entries: parts } },
    ]);
  }

  #ownName(name: string): string {
    let own = name;
    for (let next = 2; this.#names.has(own); next++) own = `${name}#${next}`;
    this.#names.add(own);
    return own;
  }
}
