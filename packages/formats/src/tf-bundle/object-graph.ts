import { type Bytes, checkLimit, type Limits, type MapNode, type Tree } from "@ckptkit/core";
import { messageFields, partOf, textOf } from "../protobuf/message.js";
import { WIRE } from "../protobuf/wire.js";
import { bundleError } from "./errors.js";

/** The entry that holds the graph of the objects that were saved. */
export const OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH";

/** One object: TrackableObject. */
export interface TrackedObject {
  /** Indices of objects by the names of attributes. */
  readonly children: readonly (readonly [name: string, object: number])[];
  /** Values of the object: what is saved under a key. */
  readonly attributes: readonly { readonly name: string; readonly fullName: string; readonly key: string }[];
  /** What an optimizer keeps of variables. */
  readonly slots: readonly { readonly variable: number; readonly name: string; readonly object: number }[];
}

/**
 * Reads the graph of objects that a checkpoint was made of; its first is the root.
 *
 * @throws {CheckpointLoadError} TF_BUNDLE_CORRUPT, LIMIT_EXCEEDED
 * @see https://github.com/tensorflow/tensorflow tensorflow/core/protobuf/trackable_object_graph.proto
 */
export function readObjectGraph(bytes: Bytes, file: string, limits: Limits): TrackedObject[] {
  const objects: TrackedObject[] = [];
  let parts = 0;
  const fields = function* (message: Bytes): ReturnType<typeof messageFields> {
    for (const field of messageFields(message, () => bundleError(file, "its graph of objects makes no sense"))) {
      checkLimit(limits, "metadataValues", ++parts, `Graph of objects of ${file}`);
      yield field;
    }
  };
  /** Numbers and texts of a message, by their fields. */
  const valuesOf = (message: Bytes): { numbers: number[]; texts: string[] } => {
    const numbers: number[] = [];
    const texts: string[] = [];
    for (const field of fields(message)) {
      if (field.wire === WIRE.varint) numbers[field.number] = Number(field.value);
      if (field.wire === WIRE.bytes) texts[field.number] = textOf(message, field);
      if (field.number > MOST_FIELD) break;
    }
    return { numbers, texts };
  };
  for (const field of fields(bytes)) {
    if (field.number !== 1 || field.wire !== WIRE.bytes) continue;
    const message = partOf(bytes, field);
    const children: [string, number][] = [];
    const attributes: { name: string; fullName: string; key: string }[] = [];
    const slots: { variable: number; name: string; object: number }[] = [];
    for (const part of fields(message)) {
      if (part.wire !== WIRE.bytes || part.number > 3) continue;
      const { numbers, texts } = valuesOf(partOf(message, part));
      if (part.number === 1) children.push([texts[2] ?? "", numbers[1] ?? 0]);
      else if (part.number === 2) attributes.push({ name: texts[1] ?? "", fullName: texts[2] ?? "", key: texts[3] ?? "" });
      else slots.push({ variable: numbers[1] ?? 0, name: texts[2] ?? "", object: numbers[3] ?? 0 });
    }
    objects.push({ children, attributes, slots });
  }
  return objects;
}

/** Fields of the messages within, at the most. */
const MOST_FIELD = 16;

/** The graph as a part of the tree: objects by their number, the root first. */
export function objectGraphTree(objects: readonly TrackedObject[]): Tree {
  const map = (entries: [Tree, Tree][]): MapNode => ({ kind: "map", type: "dict", entries });
  const items = objects.map(({ children, attributes, slots }): Tree => {
    const parts: [Tree, Tree][] = [];
    if (children.length > 0) parts.push(["children", map(children.map(([name, object]): [Tree, Tree] => [name, object]))]);
    if (attributes.length > 0) {
      const values = attributes.map(
        ({ name, fullName, key }): Tree =>
          map([
            ["name", name],
            ["full_name", fullName],
            ["checkpoint_key", key],
          ]),
      );
      parts.push(["attributes", { kind: "list", type: "list", items: values }]);
    }
    if (slots.length > 0) {
      const kept = slots.map(
        ({ variable, name, object }): Tree =>
          map([
            ["slot_name", name],
            ["variable", variable],
            ["object", object],
          ]),
      );
      parts.push(["slot_variables", { kind: "list", type: "list", items: kept }]);
    }
    return map(parts);
  });
  return { kind: "list", type: "list", items };
}
