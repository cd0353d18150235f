import type { Reading } from "@ckptkit/core";
import { signed, WIRE, type WireField } from "../protobuf/wire.js";
import { type Cursor, eachField, onnxError } from "./cursor.js";
import { newTensor, type OnnxSparseTensor, type OnnxTensor } from "./description.js";

/** Axes of one tensor. ONNX has no bound; numpy's is 64. */
const MOST_AXES = 1024;
/** Values of text that are shown, and the bytes of one. */
const STRINGS_SHOWN = 1000;
const STRING_BYTES_SHOWN = 64 * 1024;

/** Fields of TensorProto. @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto */
const TENSOR = { dims: 1, dataType: 2, segment: 3, strings: 6, name: 8, raw: 9, external: 13, location: 14 } as const;
/** Those that hold typed data, and the wire type of one entry. */
const TYPED: Readonly<Record<number, number>> = { 4: WIRE.fixed32, 5: WIRE.varint, 7: WIRE.varint, 10: WIRE.fixed64, 11: WIRE.varint };
/** TensorProto.DataLocation.EXTERNAL */
const EXTERNAL = 1;

/**
 * Reads what a tensor is and where its values are, and none of the values.
 *
 * @throws {CheckpointLoadError} ONNX_CORRUPT, LIMIT_EXCEEDED
 */
export function* readTensor(cursor: Cursor, end: number): Reading<OnnxTensor> {
  const tensor = newTensor();
  const entries = new Map<string, string>();
  let isExternal = false;
  yield* eachField(cursor, end, "a tensor", (field) => {
    const { number, wire, start, end: stop } = field;
    if (number === TENSOR.dims) return readSizes(cursor, field, tensor.shape);
    if (number === TENSOR.dataType && wire === WIRE.varint) tensor.type = Number(field.value);
    else if (number === TENSOR.segment) tensor.isSegment = true;
    else if (number === TENSOR.strings && wire === WIRE.bytes) return readString(cursor, field, tensor);
    else if (number === TENSOR.name && wire === WIRE.bytes)
      return readInto(cursor, field, (name) => {
        tensor.name = name;
      });
    else if (number === TENSOR.raw && wire === WIRE.bytes) tensor.raw = { start, end: stop };
    else if (number === TENSOR.external && wire === WIRE.bytes)
      return readEntry(cursor, stop, (key, value) => void entries.set(key, value));
    else if (number === TENSOR.location && wire === WIRE.varint) isExternal = field.value === EXTERNAL;
    else if (Object.hasOwn(TYPED, number)) addTyped(tensor, field, cursor.source.name);
    return undefined;
  });
  if (isExternal) tensor.external = entries;
  return tensor;
}

/** Reads a tensor that stores only those elements that are not zero. */
export function* readSparseTensor(cursor: Cursor, end: number): Reading<OnnxSparseTensor> {
  const sparse: OnnxSparseTensor = { values: undefined, indices: undefined, shape: [] };
  function* read(stop: number, which: "values" | "indices"): Reading<void> {
    sparse[which] = yield* readTensor(cursor, stop);
  }
  yield* eachField(cursor, end, "a sparse tensor", (field) => {
    const { number, wire, end: stop } = field;
    if (number === 1 && wire === WIRE.bytes) return read(stop, "values");
    if (number === 2 && wire === WIRE.bytes) return read(stop, "indices");
    return number === 3 ? readSizes(cursor, field, sparse.shape) : undefined;
  });
  return sparse;
}

/** Reads an entry of a map of text to text: StringStringEntryProto. */
export function* readEntry(cursor: Cursor, end: number, put: (key: string, value: string) => void): Reading<void> {
  let key = "";
  let value = "";
  yield* eachField(cursor, end, "an entry of metadata", (field) => {
    if (field.wire !== WIRE.bytes) return undefined;
    if (field.number === 1)
      return readInto(cursor, field, (text) => {
        key = text;
      });
    return field.number === 2
      ? readInto(cursor, field, (text) => {
          value = text;
        })
      : undefined;
  });
  put(key, value);
}

/** Reads text and hands it on. */
export function* readInto(cursor: Cursor, field: WireField, put: (text: string) => void): Reading<void> {
  put(yield* cursor.text(field));
}

/** Sizes of axes, packed or one by one. */
export function* readSizes(cursor: Cursor, field: WireField, sizes: (number | bigint)[]): Reading<void> {
  const found =
    field.wire === WIRE.bytes ? yield* cursor.varints(field, MOST_AXES, "a shape") : field.wire === WIRE.varint ? [field.value] : [];
  for (const size of found) sizes.push(signed(size));
  if (sizes.length > MOST_AXES) throw onnxError(cursor.source.name, `a tensor has more than ${MOST_AXES} axes`);
}

function* readString(cursor: Cursor, field: WireField, tensor: OnnxTensor): Reading<void> {
  tensor.stringCount++;
  if (tensor.strings.length < STRINGS_SHOWN && field.end - field.start <= STRING_BYTES_SHOWN)
    tensor.strings.push(yield* cursor.text(field));
}

/** Notes where entries of typed data are. Entries one by one that follow each other are one run. */
function addTyped(tensor: OnnxTensor, { number, wire, start, end }: WireField, file: string): void {
  if (tensor.typedField !== 0 && tensor.typedField !== number) throw onnxError(file, "a tensor has typed data of two types");
  tensor.typedField = number;
  if (wire === WIRE.bytes) {
    if (end > start) tensor.typed.push({ start, end, tagBytes: 0 });
    return;
  }
  if (wire !== TYPED[number]) throw onnxError(file, "typed data of a tensor are of another type than their field", { field: number, wire });
  const last = tensor.typed.at(-1);
  const begins = start - 1; // tags of these fields have one byte
  if (last?.tagBytes === 1 && last.end === begins) tensor.typed[tensor.typed.length - 1] = { ...last, end };
  else tensor.typed.push({ start: begins, end, tagBytes: 1 });
}
