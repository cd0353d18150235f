import type { Reading } from "@ckptkit/core";
import { WIRE } from "../protobuf/wire.js";
import { type Cursor, eachField, onnxError } from "./cursor.js";
import { newGraph, type OnnxAttribute, type OnnxGraph, type OnnxModel, type OnnxNode } from "./description.js";
import { readInto, readSparseTensor, readTensor } from "./read-tensor.js";
import { readValue } from "./read-value.js";

/** Graphs within graphs: protobuf's own readers stop at messages that are nested 100 deep, and each graph is three of them. */
const MOST_DEPTH = 33;

/** Operators of ONNX itself have no domain, or this one. */
const OWN_DOMAIN = "ai.onnx";

/** Where operators are counted. */
export type OperatorCounts = Pick<OnnxModel, "operators" | "domains">;

/**
 * Reads a graph: what its tensors are, and those nodes that hold tensors or graphs.
 *
 * @throws {CheckpointLoadError} ONNX_CORRUPT, LIMIT_EXCEEDED
 */
export function* readGraph(
  cursor: Cursor,
  end: number,
  counts: OperatorCounts,
  graph: OnnxGraph = newGraph(),
  depth = 1,
): Reading<OnnxGraph> {
  if (depth > MOST_DEPTH) throw onnxError(cursor.source.name, `its graphs are nested more than ${MOST_DEPTH} deep`);
  function* tensor(stop: number): Reading<void> {
    graph.initializers.push(yield* readTensor(cursor, stop));
  }
  function* sparse(stop: number): Reading<void> {
    graph.sparse.push(yield* readSparseTensor(cursor, stop));
  }
  yield* eachField(cursor, end, "a graph", (field) => {
    const { number, wire, end: stop } = field;
    if (wire !== WIRE.bytes) return undefined;
    if (number === 1) return readNode(cursor, stop, counts, graph.nodes, depth);
    if (number === 2)
      return readInto(cursor, field, (name) => {
        graph.name = name;
      });
    if (number === 5) return tensor(stop);
    if (number === 11) return readValue(cursor, stop, graph.inputs);
    if (number === 12) return readValue(cursor, stop, graph.outputs);
    return number === 15 ? sparse(stop) : undefined;
  });
  return graph;
}

/** Reads a node, counts its operator, and keeps it where it holds tensors or graphs. */
export function* readNode(cursor: Cursor, end: number, counts: OperatorCounts, nodes: OnnxNode[], depth: number): Reading<void> {
  let [name, operator, domain, output] = ["", "", "", ""];
  const attributes: OnnxAttribute[] = [];
  let outputs = 0;
  yield* eachField(cursor, end, "a node", (field) => {
    if (field.wire !== WIRE.bytes) return undefined;
    if (field.number === 2 && outputs++ === 0)
      return readInto(cursor, field, (text) => {
        output = text;
      });
    if (field.number === 3)
      return readInto(cursor, field, (text) => {
        name = text;
      });
    if (field.number === 4)
      return readInto(cursor, field, (text) => {
        operator = text;
      });
    if (field.number === 7)
      return readInto(cursor, field, (text) => {
        domain = text;
      });
    return field.number === 5 ? readAttribute(cursor, field.end, counts, attributes, depth) : undefined;
  });
  if (domain === OWN_DOMAIN) domain = "";
  count(counts.operators, domain === "" ? operator : `${domain}::${operator}`);
  count(counts.domains, domain);
  if (attributes.length > 0) nodes.push({ operator, domain, name, output, attributes });
}

const count = (counts: Map<string, number>, key: string): void => void counts.set(key, (counts.get(key) ?? 0) + 1);

/** Fields of AttributeProto that hold tensors and graphs. */
const ATTRIBUTE = { name: 1, tensor: 5, graph: 6, tensors: 10, graphs: 11, sparse: 22, sparseTensors: 23 } as const;

function* readAttribute(cursor: Cursor, end: number, counts: OperatorCounts, attributes: OnnxAttribute[], depth: number): Reading<void> {
  const attribute: OnnxAttribute = { name: "", tensors: [], graphs: [], sparse: [] };
  function* tensor(stop: number): Reading<void> {
    attribute.tensors.push(yield* readTensor(cursor, stop));
  }
  function* graph(stop: number): Reading<void> {
    attribute.graphs.push(yield* readGraph(cursor, stop, counts, newGraph(), depth + 1));
  }
  function* sparse(stop: number): Reading<void> {
    attribute.sparse.push(yield* readSparseTensor(cursor, stop));
  }
  yield* eachField(cursor, end, "an attribute", (field) => {
    const { number, wire, end: stop } = field;
    if (wire !== WIRE.bytes) return undefined;
    if (number === ATTRIBUTE.name)
      return readInto(cursor, field, (text) => {
        attribute.name = text;
      });
    if (number === ATTRIBUTE.tensor || number === ATTRIBUTE.tensors) return tensor(stop);
    if (number === ATTRIBUTE.graph || number === ATTRIBUTE.graphs) return graph(stop);
    return number === ATTRIBUTE.sparse || number === ATTRIBUTE.sparseTensors ? sparse(stop) : undefined;
  });
  if (attribute.tensors.length + attribute.graphs.length + attribute.sparse.length > 0) attributes.push(attribute);
}
