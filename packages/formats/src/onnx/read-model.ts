import type { ByteSource, Limits, Reading, SignalOptions } from "@ckptkit/core";
import { signed, WIRE, type WireField } from "../protobuf/wire.js";
import { Cursor, eachField } from "./cursor.js";
import { newGraph, type OnnxFunction, type OnnxModel, type OnnxTraining } from "./description.js";
import { readGraph, readNode } from "./read-graph.js";
import { readEntry, readInto } from "./read-tensor.js";

/** Fields of ModelProto that are numbers or text. @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto */
const FACTS: Readonly<Record<number, string>> = {
  1: "ir_version",
  2: "producer_name",
  3: "producer_version",
  4: "domain",
  5: "model_version",
  6: "doc_string",
};

/**
 * Reads the description of a model: everything but the values of its tensors.
 *
 * @throws {CheckpointLoadError} ONNX_CORRUPT, LIMIT_EXCEEDED
 */
export function* readModel(source: ByteSource, limits: Limits, options?: SignalOptions): Reading<OnnxModel> {
  const cursor = new Cursor(source, limits, options);
  const model: OnnxModel = {
    facts: new Map(),
    opsets: new Map(),
    properties: new Map(),
    graph: newGraph(),
    functions: [],
    training: [],
    operators: new Map(),
    domains: new Map(),
  };
  yield* eachField(cursor, source.size, "the model", (field) => {
    const { number, wire, end } = field;
    const fact = Object.hasOwn(FACTS, number) ? FACTS[number] : undefined;
    if (fact !== undefined && wire === WIRE.varint) model.facts.set(fact, signed(field.value));
    if (wire !== WIRE.bytes) return undefined;
    if (fact !== undefined) return readInto(cursor, field, (text) => void (text !== "" && model.facts.set(fact, text)));
    if (number === 7) return readMainGraph(cursor, end, model);
    if (number === 8) return readOpset(cursor, end, model);
    if (number === 14) return readEntry(cursor, end, (key, value) => void model.properties.set(key, value));
    if (number === 20) return readTraining(cursor, end, model);
    return number === 25 ? readFunction(cursor, end, model) : undefined;
  });
  return model;
}

/** A second graph is a part of the first, as everywhere in protobuf. */
function* readMainGraph(cursor: Cursor, end: number, model: OnnxModel): Reading<void> {
  yield* readGraph(cursor, end, model, model.graph);
}

function* readOpset(cursor: Cursor, end: number, model: OnnxModel): Reading<void> {
  let domain = "";
  let version: number | bigint = 0;
  yield* eachField(cursor, end, "a set of operators", (field) => {
    if (field.number === 2 && field.wire === WIRE.varint) version = signed(field.value);
    return field.number === 1 && field.wire === WIRE.bytes
      ? readInto(cursor, field, (text) => {
          domain = text;
        })
      : undefined;
  });
  model.opsets.set(domain, version);
}

function* readTraining(cursor: Cursor, end: number, model: OnnxModel): Reading<void> {
  const training: OnnxTraining = { initialization: newGraph(), algorithm: newGraph() };
  function* read(field: WireField, which: keyof OnnxTraining): Reading<void> {
    yield* readGraph(cursor, field.end, model, training[which]);
  }
  yield* eachField(cursor, end, "a training", (field) => {
    if (field.wire !== WIRE.bytes) return undefined;
    if (field.number === 1) return read(field, "initialization");
    return field.number === 2 ? read(field, "algorithm") : undefined;
  });
  model.training.push(training);
}

function* readFunction(cursor: Cursor, end: number, model: OnnxModel): Reading<void> {
  const made: OnnxFunction = { name: "", domain: "", graph: newGraph() };
  yield* eachField(cursor, end, "a function", (field) => {
    if (field.wire !== WIRE.bytes) return undefined;
    if (field.number === 1)
      return readInto(cursor, field, (text) => {
        made.name = text;
      });
    if (field.number === 7) return readNode(cursor, field.end, model, made.graph.nodes, 1);
    return field.number === 10
      ? readInto(cursor, field, (text) => {
          made.domain = text;
        })
      : undefined;
  });
  model.functions.push(made);
}
