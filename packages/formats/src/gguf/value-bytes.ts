import { type GgufScalar, type GgufScalarType, type GgufValue, VALUE_TYPES } from "./values.js";

/** A length or count, as versions 2 and 3 have it. */
export function size64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
  return bytes;
}

/** 4 bytes, little-endian. */
export function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

/** Text with its length before it. */
export function stringBytes(text: string | Uint8Array): Uint8Array[] {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  return [size64(bytes.length), bytes];
}

/** A value with its type before it. */
export function valueBytes(value: GgufValue): Uint8Array[] {
  return [u32(VALUE_TYPES.indexOf(value.type)), ...bareBytes(value)];
}

function bareBytes(value: GgufValue): Uint8Array[] {
  if (value.type !== "array") return scalars(value.type, [value.value]);
  const head = [u32(VALUE_TYPES.indexOf(value.of)), size64(value.values.length)];
  return [...head, ...(value.of === "array" ? value.values.flatMap(bareBytes) : scalars(value.of, value.values))];
}

type NumberType = Exclude<GgufScalarType, "string" | "bool" | "int64" | "uint64">;

const BYTES: Readonly<Record<NumberType, number>> = { uint8: 1, int8: 1, uint16: 2, int16: 2, uint32: 4, int32: 4, float32: 4, float64: 8 };

const SET: Readonly<Record<NumberType, (view: DataView, at: number, value: number) => void>> = {
  uint8: (view, at, value) => view.setUint8(at, value),
  int8: (view, at, value) => view.setInt8(at, value),
  uint16: (view, at, value) => view.setUint16(at, value, true),
  int16: (view, at, value) => view.setInt16(at, value, true),
  uint32: (view, at, value) => view.setUint32(at, value, true),
  int32: (view, at, value) => view.setInt32(at, value, true),
  float32: (view, at, value) => view.setFloat32(at, value, true),
  float64: (view, at, value) => view.setFloat64(at, value, true),
};

function scalars(type: GgufScalarType, values: readonly GgufScalar[]): Uint8Array[] {
  if (type === "string") return values.flatMap((value) => stringBytes(value instanceof Uint8Array ? value : String(value)));
  if (type === "bool") return [Uint8Array.from(values, (value) => (value ? 1 : 0))];
  if (type === "int64" || type === "uint64") {
    const bytes = new Uint8Array(8 * values.length);
    const view = new DataView(bytes.buffer);
    for (const [index, value] of values.entries()) {
      if (typeof value === "number" || typeof value === "bigint") view.setBigInt64(8 * index, BigInt.asIntN(64, BigInt(value)), true);
    }
    return [bytes];
  }
  const each = BYTES[type];
  const bytes = new Uint8Array(each * values.length);
  const view = new DataView(bytes.buffer);
  for (const [index, value] of values.entries()) SET[type](view, each * index, Number(value));
  return [bytes];
}
