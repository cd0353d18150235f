import { asNumber, CheckpointError, countElements, type ObjectNode, type Reading, Storage, sliceSource, type Tree } from "@ckptkit/core";
import { elementOfName } from "../array-dtypes.js";
import { quoted } from "../quoted.js";
import { type MsgpackCursor, msgpackError } from "./cursor.js";
import { MARKERS } from "./markers.js";
import { type MsgpackContext, readLength, readNumber } from "./numbers.js";

/** Types of extensions. @see https://github.com/google/flax flax/serialization.py, _MsgpackExtType */
const NDARRAY = 1;
const COMPLEX = 2;
const NUMPY_SCALAR = 3;
/** @see https://github.com/msgpack/msgpack/blob/master/spec.md#timestamp-extension-type */
const TIMESTAMP = -1;
/** Axes of an array: numpy has 64 at the most. */
const MOST_AXES = 64;

/** An extension of so many bytes, whose type comes next. */
export function* readExtension(context: MsgpackContext, length: number, place: string): Reading<Tree> {
  const { cursor } = context;
  if (!cursor.has(1)) yield* cursor.fetch(1, "an extension");
  const type = cursor.i8();
  cursor.check(length, `an extension of type ${type}`);
  const end = cursor.position + length;
  let value: Tree | undefined;
  if (type === NDARRAY || type === NUMPY_SCALAR) value = yield* readArray(context, end, place);
  else if (type === COMPLEX) value = yield* readComplex(cursor, end);
  else if (type === TIMESTAMP && (length === 4 || length === 8 || length === 12)) value = yield* readTimestamp(cursor, length);
  if (value !== undefined && cursor.position > end) throw badExtension(cursor, type, end, "reaches beyond its own end");
  cursor.pass(end - cursor.position, `an extension of type ${type}`);
  return value ?? { kind: "object", type: "msgpack.ExtType", args: [type, length] };
}

const badExtension = (cursor: MsgpackCursor, type: number, end: number, why: string): Error =>
  msgpackError(cursor.source.name, `the extension of type ${type} that ends at ${end} ${why}`, { end });

/** `(shape, name of the dtype, bytes)`: a tensor whose bytes stay where they are. */
function* readArray(context: MsgpackContext, end: number, place: string): Reading<Tree> {
  const { cursor, findings } = context;
  const bad = (why: string): Error => badExtension(cursor, NDARRAY, end, why);
  if ((yield* lengthOf(cursor, "array", end)) !== 3) throw bad("is no (shape, dtype, bytes)");
  const axes = (yield* lengthOf(cursor, "array", end)) ?? MOST_AXES + 1;
  if (axes > MOST_AXES) throw bad("has no shape");
  const shape: number[] = [];
  for (let axis = 0; axis < axes; axis++) shape.push(asNumber(yield* plainNumber(cursor)) ?? -1);
  const nameLength = yield* lengthOf(cursor, "str", end, "bin");
  if (nameLength === undefined || cursor.position + nameLength > end) throw bad("has no dtype");
  if (!cursor.has(nameLength)) yield* cursor.fetch(nameLength, "a dtype");
  const dtypeName = String(cursor.text(nameLength));
  const byteLength = yield* lengthOf(cursor, "bin", end, "str");
  if (byteLength === undefined || cursor.position + byteLength > end) throw bad("has no bytes");
  const start = cursor.pass(byteLength, "an array");
  const element = elementOfName(dtypeName);
  if (!element) {
    findings.push({
      rule: "flax-unknown-dtype",
      severity: "warning",
      message: `An array of ${quoted(dtypeName)} has no numbers that are known here: its values are not shown.`,
      at: place,
    });
    return opaqueArray(shape, dtypeName, byteLength);
  }
  let needed: number;
  try {
    needed = (countElements(shape) * element.bits) / 8;
  } catch (error) {
    if (error instanceof CheckpointError) throw bad(`has the shape [${shape.join(", ")}]`);
    throw error;
  }
  if (needed !== byteLength) throw bad(`has ${byteLength} bytes for ${dtypeName} of shape [${shape.join(", ")}], which needs ${needed}`);
  const { source } = cursor;
  const bytes = sliceSource(source, start, start + byteLength, `${source.name}#${place}`);
  const storage = new Storage({ id: `${place}@${start}`, bytes, fileOffset: start });
  return { kind: "tensor", tensor: { dtype: element.dtype, bits: element.bits, shape, storage, byteOffset: 0 } };
}

const opaqueArray = (shape: readonly number[], dtype: string, byteLength: number): ObjectNode => ({
  kind: "object",
  type: "numpy.ndarray",
  attributes: {
    kind: "map",
    type: "dict",
    entries: [
      ["dtype", dtype],
      ["shape", { kind: "list", type: "tuple", items: [...shape] }],
      ["byteLength", byteLength],
    ],
  },
});

/** The length of the next value when it is of a kind; undefined when it is of another, or the extension ends before it. */
function* lengthOf(cursor: MsgpackCursor, kind: "array" | "str" | "bin", end: number, other = kind): Reading<number | undefined> {
  if (cursor.position >= end) return undefined;
  if (!cursor.has(1)) yield* cursor.fetch(1, "an array");
  const marker = MARKERS[cursor.u8()];
  return marker && "lengthBytes" in marker && (marker.kind === kind || marker.kind === other)
    ? yield* readLength(cursor, marker)
    : undefined;
}

/** A number; null for anything else. */
function* plainNumber(cursor: MsgpackCursor): Reading<Tree> {
  if (!cursor.has(1)) yield* cursor.fetch(1, "a number");
  const marker = MARKERS[cursor.u8()];
  if (marker?.kind === "small") return marker.value;
  return marker && "bytes" in marker ? yield* readNumber(cursor, marker) : null;
}

/** `(real, imaginary)`. */
function* readComplex(cursor: MsgpackCursor, end: number): Reading<Tree> {
  if ((yield* lengthOf(cursor, "array", end)) !== 2) throw badExtension(cursor, COMPLEX, end, "is no (real, imaginary)");
  const real = yield* plainNumber(cursor);
  return { kind: "object", type: "builtins.complex", args: [real, yield* plainNumber(cursor)] };
}

function* readTimestamp(cursor: MsgpackCursor, length: 4 | 8 | 12): Reading<Tree> {
  if (!cursor.has(length)) yield* cursor.fetch(length, "a time");
  let nanoseconds = 0;
  let seconds: number | bigint;
  if (length === 4) seconds = cursor.u32();
  else if (length === 12) {
    nanoseconds = cursor.u32();
    seconds = cursor.i64();
  } else {
    const both = BigInt(cursor.u64()); // 30 bits of nanoseconds, 34 of seconds
    nanoseconds = Number(both / 2n ** 34n);
    seconds = Number(both % 2n ** 34n);
  }
  return { kind: "object", type: "msgpack.Timestamp", args: [seconds, nanoseconds] };
}
