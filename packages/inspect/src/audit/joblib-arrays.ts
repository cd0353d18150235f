import { entriesOf, isPickleNode, type PickleNode, type PickleValue, type RawBytes } from "@ckptkit/pickle";

/** The object that joblib writes in the place of an array; the array's bytes stand behind it, in the middle of the pickle. */
const WRAPPER = /^(?:sklearn\.externals\.)?joblib\.numpy_pickle$/;
/** Bytes of an item by numpy's code of a type where the code's number is not that of bytes. */
const UNICODE_BYTES = 4;
/** @see https://github.com/numpy/numpy numpy/core/include/numpy/ndarraytypes.h NPY_ITEM_HASOBJECT */
const HAS_OBJECT = 1;

/** An array as joblib describes it. */
interface JoblibArray {
  readonly byteLength: number;
  /** Its items are Python objects, which are a pickle of their own. */
  readonly holdsObjects: boolean;
  readonly isAligned: boolean;
}

/**
 * Tells how many bytes joblib has put behind each array's description: a byte with the length of a padding, the padding, and the numbers.
 *
 * @param objects is asked for the length of a pickle that stands there for an array of objects.
 * @see https://github.com/joblib/joblib joblib/numpy_pickle.py NumpyArrayWrapper.read_array
 */
export function joblibArrays(bytes: Uint8Array, objects: (offset: number) => number | undefined): RawBytes {
  return (filled, offset) => {
    const array = describe(filled);
    if (!array) return undefined;
    if (array.holdsObjects) return objects(offset);
    return array.byteLength + (array.isAligned ? 1 + (bytes[offset] ?? 0) : 0);
  };
}

/** The array that an object stands for; undefined for all other objects, and where it is described in a way that joblib does not write. */
function describe(node: PickleNode): JoblibArray | undefined {
  if (node.kind !== "call" || !isPickleNode(node.callable) || node.callable.kind !== "global") return undefined;
  if (node.callable.name !== "NumpyArrayWrapper" || !WRAPPER.test(node.callable.module)) return undefined;
  const state = node.states?.at(-1);
  if (!isPickleNode(state) || state.kind !== "dict") return undefined;
  const fields = new Map(entriesOf(state.keysAndValues));
  const shape = fields.get("shape");
  const type = itemOf(fields.get("dtype"));
  if (!type || !isPickleNode(shape) || shape.kind !== "tuple") return undefined;
  let byteLength = type.bytes;
  for (const length of shape.items) {
    const count = numberOf(length);
    if (count === undefined || count < 0) return undefined;
    byteLength *= count;
  }
  if (!Number.isSafeInteger(byteLength)) return undefined;
  const alignment = fields.get("numpy_array_alignment_bytes");
  return { byteLength, holdsObjects: type.holdsObjects, isAligned: alignment !== undefined && alignment !== null };
}

/** `numpy.dtype("f8", False, True)` and its state: the bytes of one item. */
function itemOf(dtype: PickleValue | undefined): { bytes: number; holdsObjects: boolean } | undefined {
  if (!isPickleNode(dtype) || dtype.kind !== "call") return undefined;
  const [code] = dtype.args;
  const match = typeof code === "string" ? /^[<>|=]?([a-zA-Z])(\d+)$/.exec(code) : null;
  if (!match) return undefined;
  const state = dtype.states?.at(-1);
  const flags = isPickleNode(state) && state.kind === "tuple" ? numberOf(state.items[7]) : 0;
  return {
    bytes: Number(match[2]) * (match[1] === "U" ? UNICODE_BYTES : 1),
    // The lowest bit of the flags, which are one byte.
    holdsObjects: match[1] === "O" || (flags ?? 0) % 2 === HAS_OBJECT,
  };
}

/** A number, or one of numpy's that is written as a call with its bytes. */
function numberOf(value: PickleValue | undefined): number | undefined {
  if (typeof value === "number") return value;
  if (!isPickleNode(value) || value.kind !== "call") return undefined;
  const bytes = value.args[1];
  if (!(bytes instanceof Uint8Array) || bytes.length === 0 || bytes.length > 8) return undefined;
  return bytes.reduceRight((sum, byte) => sum * 256 + byte, 0);
}
