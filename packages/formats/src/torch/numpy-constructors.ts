import { contiguousStrides, isDType, memorySource, realNumber, Storage, type Tree } from "@ckptkit/core";
import type { PickleCall, PickleValue } from "@ckptkit/pickle";
import { type BuildContext, type Constructor, isKind } from "./build-context.js";

/** An element type of numpy: its code here, or numpy's own name with its size. */
interface NumpyDType {
  dtype: string;
  bits: number;
  bigEndian: boolean;
}

/** Functions by which numpy values are pickled. @see https://github.com/numpy/numpy numpy/_core/src/multiarray/methods.c, array_setstate */
export const NUMPY_CONSTRUCTORS: Readonly<Record<string, Constructor>> = /* @__PURE__ */ Object.fromEntries(
  // numpy 2 put an underscore before its core.
  ["numpy.core.", "numpy._core."].flatMap((core): [string, Constructor][] => [
    [`${core}multiarray._reconstruct`, reconstruct],
    [`${core}multiarray.scalar`, scalar],
    [`${core}numeric._frombuffer`, fromBuffer],
  ]),
);

/** BUILD state of an array: (version, shape, dtype, is Fortran order, bytes or a list of objects). */
function reconstruct(_args: readonly PickleValue[], call: PickleCall, context: BuildContext): Tree | undefined {
  const state = call.states?.at(-1);
  if (!isKind(state, "tuple") || state.items.length < 4) return undefined;
  const [shape, dtype, fortran, data] = state.items.slice(-4);
  return arrayOf(dimensions(shape, context), readDType(dtype, context), fortran === true || fortran === 1, toBytes(data, context), context);
}

/** Protocol 5: (buffer, dtype, shape, order). */
function fromBuffer(args: readonly PickleValue[], _call: PickleCall, context: BuildContext): Tree | undefined {
  const [data, dtype, shape, order] = args;
  return arrayOf(dimensions(shape, context), readDType(dtype, context), order === "F", toBytes(data, context), context);
}

function arrayOf(
  shape: number[] | undefined,
  type: NumpyDType | undefined,
  fortran: boolean,
  bytes: Uint8Array | undefined,
  context: BuildContext,
): Tree | undefined {
  if (!shape || !type || !bytes) return undefined;
  const elements = shape.reduce((product, size) => product * size, 1);
  if ((elements * type.bits) / 8 !== bytes.length) {
    context.note({
      rule: "numpy-array-size",
      severity: "error",
      message: `A numpy array of type ${type.dtype} and shape [${shape.slice(0, 16).join(", ")}] has ${bytes.length} bytes, not ${(elements * type.bits) / 8}.`,
    });
    return undefined;
  }
  const storage = new Storage({
    id: `numpy:${context.nextArrayId()}`,
    bytes: memorySource(bytes, "numpy array"),
    bigEndian: type.bigEndian,
  });
  return {
    kind: "tensor",
    tensor: {
      dtype: type.dtype,
      shape,
      storage,
      byteOffset: 0,
      ...(fortran && { strides: contiguousStrides([...shape].reverse()).reverse() }),
      ...(!isDType(type.dtype) && { bits: type.bits }),
    },
  };
}

/** Elements of which one is shown as a number. */
const NUMBERS = {
  F32: Float32Array,
  F64: Float64Array,
  I8: Int8Array,
  U8: Uint8Array,
  I16: Int16Array,
  U16: Uint16Array,
  I32: Int32Array,
  U32: Uint32Array,
  I64: BigInt64Array,
  U64: BigUint64Array,
} as const;

const isNumber = (dtype: string): dtype is keyof typeof NUMBERS => Object.hasOwn(NUMBERS, dtype);

/** (dtype, bytes): a number, or a string of the bytes when the type is not numeric. */
function scalar(args: readonly PickleValue[], _call: PickleCall, context: BuildContext): Tree | undefined {
  const type = readDType(args[0], context);
  const bytes = toBytes(args[1], context);
  if (!type || !bytes || bytes.length * 8 !== type.bits) return undefined;
  if (type.dtype === "BOOL") return bytes[0] !== 0;
  if (type.dtype === "C64" || type.dtype === "C128") return complexNumber(bytes, type);
  if (type.dtype === "F16") return realNumber(halfToNumber(viewOf(bytes).getUint16(0, !type.bigEndian)));
  if (!isNumber(type.dtype)) return undefined;
  const element = bytes.slice();
  if (type.bigEndian) element.reverse();
  const [value = 0] = new NUMBERS[type.dtype](element.buffer);
  if (typeof value === "bigint") return exactInteger(value);
  return type.dtype.startsWith("F") ? realNumber(value) : value;
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function complexNumber(bytes: Uint8Array, { dtype, bigEndian }: NumpyDType): Tree {
  const view = viewOf(bytes);
  const part = (at: number): number => (dtype === "C64" ? view.getFloat32(at, !bigEndian) : view.getFloat64(at, !bigEndian));
  return { kind: "object", type: "builtins.complex", args: [realNumber(part(0)), realNumber(part(bytes.length / 2))] };
}

/** @see https://en.wikipedia.org/wiki/Half-precision_floating-point_format */
function halfToNumber(bits: number): number {
  const sign = bits >= 0x8000 ? -1 : 1;
  const exponent = Math.floor(bits / 1024) % 32;
  const fraction = bits % 1024;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

const exactInteger = (value: bigint): number | bigint => (BigInt.asIntN(54, value) === value ? Number(value) : value);

/** numpy.dtype(code, align, copy) with the state (version, byte order, subdtype, names, fields, item size, alignment, flags). */
function readDType(value: PickleValue | undefined, context: BuildContext): NumpyDType | undefined {
  if (!isKind(value, "call") || context.nameOf(value.callable) !== "numpy.dtype") return undefined;
  const code = value.args[0];
  if (typeof code !== "string") return undefined;
  const match = /^([biufcmMSUV])(\d+)$/.exec(code);
  if (!match) return undefined;
  const state = value.states?.at(-1);
  const [, order, , , , itemBytes] = isKind(state, "tuple") ? state.items : [];
  const declared = Number(match[2]) * (match[1] === "U" ? 4 : 1);
  const bytes = typeof itemBytes === "number" && itemBytes > 0 ? itemBytes : declared;
  const bigEndian = order === ">";
  const name = code === "b1" ? "BOOL" : /^[iufc]/.test(code) ? code.charAt(0).toUpperCase() + 8 * declared : "";
  if (isDType(name)) return { dtype: name, bits: 8 * bytes, bigEndian };
  return { dtype: `${bigEndian ? ">" : "<"}${code}`, bits: 8 * bytes, bigEndian: false };
}

/** numpy's own bound. @see https://github.com/numpy/numpy numpy/_core/include/numpy/ndarraytypes.h, NPY_MAXDIMS */
const MOST_AXES = 64;

function dimensions(value: PickleValue | undefined, context: BuildContext): number[] | undefined {
  if (!isKind(value, "tuple") || value.items.length > MOST_AXES) return undefined;
  context.charge(value.items.length);
  const sizes = value.items.filter((size): size is number => typeof size === "number" && Number.isSafeInteger(size) && size >= 0);
  return sizes.length === value.items.length ? sizes : undefined;
}

/** A copied character counts as this part of a copied item. */
const CHARACTERS_PER_ITEM = 64;

/** Bytes as pickles carry them: bytes, a bytearray, a Python 2 string, or `_codecs.encode(text, "latin1")`. */
export function toBytes(value: PickleValue | undefined, context: BuildContext): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  if (typeof value === "string") {
    context.charge(value.length / CHARACTERS_PER_ITEM);
    return new TextEncoder().encode(value); // a Python 2 string that happened to be UTF-8
  }
  if (isKind(value, "bytearray")) return value.bytes;
  if (!isKind(value, "call")) return undefined;
  const built = context.build(value);
  return built instanceof Uint8Array ? built : undefined;
}
