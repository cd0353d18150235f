import type { Bytes, FormatSignature, Probe } from "@ckptkit/core";
import { readField, WIRE, type WireField } from "../protobuf/wire.js";

/** Wire types of the fields of a message. */
type Fields = ReadonlyMap<number, number>;

const { varint, bytes } = WIRE;
/** Fields of ModelProto and of GraphProto. @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto */
const MODEL: Fields = new Map([
  [1, varint],
  ...[2, 3, 4].map((number): [number, number] => [number, bytes]),
  [5, varint],
  ...[6, 7, 8, 14, 20, 25, 26].map((number): [number, number] => [number, bytes]),
]);
const GRAPH: Fields = new Map([1, 2, 5, 10, 11, 12, 13, 14, 15, 16].map((number) => [number, bytes]));
const NODE: Fields = new Map([1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((number) => [number, bytes]));

const IR_VERSION = 1;
const GRAPH_FIELD = 7;
const NODE_FIELD = 1;
/** Versions of the format that there may be; the newest is 13. */
const MOST_IR_VERSION = 1000;

/** How ONNX models are told. */
export const onnxSignature: FormatSignature = { format: "onnx", matches: looksLikeOnnx };

/**
 * Whether a file is an ONNX model. Messages have no magic number: every field in the file's first bytes must be one that a model has, with the type that it has there,
 * down to the first nodes of its graph; and the version of the format must be among them, which all programs write first.
 */
function looksLikeOnnx({ head, size }: Probe): boolean {
  let hasVersion = false;
  for (const field of fieldsOf(head, 0, size, MODEL)) {
    if (field === undefined) return false;
    if (field.number === IR_VERSION) hasVersion = typeof field.value === "number" && field.value >= 1 && field.value <= MOST_IR_VERSION;
    // The graph may be cut off: that it does not fit into the file is for the reader to say.
    if (field.number === GRAPH_FIELD) return hasVersion && isGraph(head, field);
    if (field.end > size) return false;
  }
  return false;
}

function isGraph(head: Bytes, graph: WireField): boolean {
  if (graph.end === graph.start) return false;
  for (const field of fieldsOf(head, graph.start, graph.end, GRAPH)) {
    if (field === undefined) return false;
    if (field.number !== NODE_FIELD) continue;
    for (const part of fieldsOf(head, field.start, field.end, NODE)) if (part === undefined) return false;
  }
  return true;
}

/** The fields of a message as far as they are in the head; undefined for one that the message does not have. */
function* fieldsOf(head: Bytes, start: number, end: number, known: Fields): Generator<WireField | undefined> {
  for (let at = start; at < Math.min(end, head.length); ) {
    const field = readField(head, at);
    if (!field) {
      // A tag or length that the head cuts in two.
      if (end <= head.length || head.length - at >= 20) yield undefined;
      return;
    }
    yield known.get(field.number) === field.wire ? field : undefined;
    at = field.end;
  }
}
