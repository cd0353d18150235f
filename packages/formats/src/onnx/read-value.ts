import type { Reading } from "@ckptkit/core";
import { signed, WIRE, type WireField } from "../protobuf/wire.js";
import { type Cursor, eachField } from "./cursor.js";
import { typeName } from "./data-types.js";
import type { OnnxValue } from "./description.js";
import { readInto } from "./read-tensor.js";

/** Kinds of TypeProto by their field. Those with a null are shown without what is in them. */
const KINDS: Readonly<Record<number, string | null>> = { 1: null, 4: "sequence", 5: "map", 7: "opaque", 8: "sparse", 9: "optional" };
const TENSOR_KINDS: ReadonlySet<number> = new Set([1, 8]);

type Size = number | bigint | string | null;

/** Reads an input or output of a graph: ValueInfoProto. @throws {CheckpointLoadError} ONNX_CORRUPT, LIMIT_EXCEEDED */
export function* readValue(cursor: Cursor, end: number, values: OnnxValue[]): Reading<void> {
  let name = "";
  let type = "unknown";
  let shape: Size[] | undefined;
  function* readType(stop: number): Reading<void> {
    yield* eachField(cursor, stop, "a type", (field) => {
      const kind = Object.hasOwn(KINDS, field.number) ? KINDS[field.number] : undefined;
      if (field.wire !== WIRE.bytes || kind === undefined) return undefined;
      type = kind ?? "tensor";
      return TENSOR_KINDS.has(field.number) ? readTensorType(field) : undefined;
    });
  }
  function* readTensorType(of: WireField): Reading<void> {
    const isSparse = of.number === 8;
    yield* eachField(cursor, of.end, "a type", (field) => {
      if (field.number === 1 && field.wire === WIRE.varint) {
        type = `${isSparse ? "sparse " : ""}${typeName(Number(field.value))}`;
        return undefined;
      }
      if (field.number !== 2 || field.wire !== WIRE.bytes) return undefined;
      shape = [];
      return readShape(cursor, field.end, shape);
    });
  }
  yield* eachField(cursor, end, "an input or output", (field) => {
    if (field.wire !== WIRE.bytes) return undefined;
    if (field.number === 1)
      return readInto(cursor, field, (text) => {
        name = text;
      });
    return field.number === 2 ? readType(field.end) : undefined;
  });
  values.push({ name, type, shape });
}

/** The sizes of a shape: numbers, names of those that are open, or null. */
function* readShape(cursor: Cursor, end: number, sizes: Size[]): Reading<void> {
  function* readSize(stop: number): Reading<void> {
    let size: Size = null;
    yield* eachField(cursor, stop, "a shape", (field) => {
      if (field.number === 1 && field.wire === WIRE.varint) size = signed(field.value);
      return field.number === 2 && field.wire === WIRE.bytes
        ? readInto(cursor, field, (text) => {
            size = text;
          })
        : undefined;
    });
    sizes.push(size);
  }
  yield* eachField(cursor, end, "a shape", (field) => (field.number === 1 && field.wire === WIRE.bytes ? readSize(field.end) : undefined));
}
