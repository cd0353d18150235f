import { type Bytes, CheckpointLoadError, checkLimit, countElements, DTYPES, type DType, type Limits } from "@ckptkit/core";
import { type Literal, parseLiteral } from "./python-literal.js";
import { isNpy } from "./signature.js";

/** Bytes that tell how long the header is, in every version. */
export const NPY_PREFIX_BYTES = 12;

/** How the elements of an array are stored. */
export interface NpyElement {
  /** A dtype of core, or numpy's own `descr` where there is none: `<U5`, `<M8[ns]`. */
  readonly dtype: string;
  readonly bits: number;
  /** Elements of a dtype of core that stand big-endian. */
  readonly bigEndian: boolean;
}

/** What an array's header says. */
export interface NpyHeader {
  /** `descr` as text. */
  readonly descr: string;
  /** Undefined for Python objects, which are stored as a pickle, and for records. */
  readonly element: NpyElement | undefined;
  readonly isObject: boolean;
  readonly fortranOrder: boolean;
  readonly shape: number[];
  /** Where the data begins. */
  readonly dataStart: number;
}

/** The error for an array that makes no sense. */
export function npyError(name: string, why: string, details: Record<string, unknown> = {}): CheckpointLoadError {
  return new CheckpointLoadError("NPY_CORRUPT", `The numpy array ${name} is malformed: ${why}.`, {
    details,
    suggestions: ["Fetch the file again, or save the array again."],
  });
}

/**
 * Where the data begins, from the first {@link NPY_PREFIX_BYTES} of an array or all of a shorter one.
 *
 * @throws {CheckpointLoadError} NPY_CORRUPT, UNSUPPORTED_FORMAT, LIMIT_EXCEEDED
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
export function npyDataStart(prefix: Bytes, byteLength: number, name: string, limits: Limits): number {
  if (!isNpy(prefix)) throw npyError(name, "it does not begin as .npy files do");
  const version = prefix[6] ?? 0;
  if (prefix.length > 6 && (version < 1 || version > 3)) {
    throw new CheckpointLoadError("UNSUPPORTED_FORMAT", `The numpy array ${name} has version ${version}; 1, 2 and 3 are known here.`);
  }
  const start = version === 1 ? 10 : 12;
  if (prefix.length < start) throw npyError(name, `it ends after ${byteLength} bytes, within its header`);
  const view = new DataView(prefix.buffer, prefix.byteOffset, prefix.byteLength);
  const headerBytes = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  checkLimit(limits, "headerBytes", headerBytes, `Header of ${name}`);
  if (start + headerBytes > byteLength) {
    throw npyError(name, `its header has ${headerBytes} bytes, and ${byteLength - start} follow: it is cut off`);
  }
  return start + headerBytes;
}

/**
 * Reads a header: `bytes` are the file's first up to where the data begins.
 *
 * @throws {CheckpointLoadError} NPY_CORRUPT, TENSOR_OUT_OF_BOUNDS
 */
export function readNpyHeader(bytes: Bytes, name: string): NpyHeader {
  const text = headerText(bytes, name);
  let literal: Literal;
  try {
    literal = parseLiteral(text);
  } catch (cause) {
    throw npyError(name, `its header is no Python dictionary: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
  if (!(literal instanceof Map) || literal.size !== 3)
    throw npyError(name, "its header is no dictionary of descr, fortran_order and shape");
  const [descr, fortranOrder, shape] = ["descr", "fortran_order", "shape"].map((key) => literal.get(key));
  if (typeof fortranOrder !== "boolean") throw npyError(name, "its fortran_order is neither True nor False");
  if (!Array.isArray(shape) || !shape.every((size): size is number => typeof size === "number" && size >= 0)) {
    throw npyError(name, "its shape is no tuple of sizes");
  }
  countElements(shape);
  const isRecord = Array.isArray(descr);
  if (!isRecord && typeof descr !== "string") throw npyError(name, "its descr is neither text nor a list of fields");
  const element = isRecord ? undefined : elementOf(descr);
  const isObject = isRecord ? JSON.stringify(descr).includes('O"') : /^[<>|=]?O/.test(descr);
  if (!isRecord && !element && !isObject) throw npyError(name, `its descr ${JSON.stringify(descr.slice(0, 100))} is no dtype of numpy`);
  return {
    descr: isRecord ? JSON.stringify(descr) : descr,
    element: isObject ? undefined : element,
    isObject,
    fortranOrder,
    shape,
    dataStart: bytes.length,
  };
}

/** Versions 1 and 2 are Latin-1, version 3 is UTF-8. */
function headerText(bytes: Bytes, name: string): string {
  const header = bytes.slice(bytes[6] === 1 ? 10 : 12);
  if (bytes[6] !== 3) {
    let text = "";
    for (const byte of header) text += String.fromCharCode(byte);
    return text;
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(header);
  } catch {
    throw npyError(name, "its header is not valid UTF-8");
  }
}

/** numpy's kinds and sizes, and the dtypes of core. */
const DTYPE_OF: Readonly<Record<string, DType>> = {
  b1: "BOOL",
  i1: "I8",
  i2: "I16",
  i4: "I32",
  i8: "I64",
  u1: "U8",
  u2: "U16",
  u4: "U32",
  u8: "U64",
  f2: "F16",
  f4: "F32",
  f8: "F64",
  c8: "C64",
  c16: "C128",
};

/** The `descr` of a dtype, little-endian; undefined where numpy has none. */
export function descrOf(dtype: string): string | undefined {
  const code = Object.keys(DTYPE_OF).find((key) => DTYPE_OF[key] === dtype);
  return code && (code.endsWith("1") ? `|${code}` : `<${code}`);
}

/** @see https://numpy.org/doc/stable/reference/arrays.interface.html typestr */
export function elementOf(descr: string): NpyElement | undefined {
  const match = /^([<>|=]?)([biufcSUVMma])([0-9]{1,9})(\[[^\]]{1,64}\])?$/.exec(descr);
  if (!match) return undefined;
  const [, order, kind = "", size = ""] = match;
  const code = `${kind}${Number(size)}`;
  const dtype = Object.hasOwn(DTYPE_OF, code) ? DTYPE_OF[code] : undefined;
  if (dtype) return { dtype, bits: DTYPES[dtype].bits, bigEndian: order === ">" };
  const bytes = Number(size) * (kind === "U" ? 4 : 1);
  return { dtype: descr, bits: 8 * bytes, bigEndian: false };
}
