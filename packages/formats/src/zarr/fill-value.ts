import { DTYPES, isDType } from "@ckptkit/core";
import { canDecode, decodeNumbers } from "@ckptkit/wasm/js";

/**
 * One element of a fill value, in the byte order that is asked for.
 *
 * @returns undefined for a value that the dtype does not have.
 * @see https://zarr-specs.readthedocs.io/en/latest/v3/data-types/index.html
 */
export function fillBytes(value: unknown, dtype: string, bits: number, bigEndian: boolean): Uint8Array | undefined {
  const bytes = new Uint8Array(bits / 8);
  if (value === null || value === undefined || value === 0 || value === false) return bytes;
  const kind = isDType(dtype) ? DTYPES[dtype].kind : "uint";
  const isComplex = kind === "complex";
  const parts = isComplex ? (Array.isArray(value) ? value : [value, 0]) : [value];
  const width = bytes.length / (isComplex ? 2 : 1);
  const part = isComplex ? `F${width * 8}` : dtype;
  for (const [index, one] of parts.slice(0, isComplex ? 2 : 1).entries()) {
    const little = numberBytes(one, part, kind, width);
    if (!little) return undefined;
    bytes.set(bigEndian ? little.reverse() : little, index * width);
  }
  return bytes;
}

/** A number, little-endian. */
function numberBytes(value: unknown, dtype: string, kind: string, width: number): Uint8Array | undefined {
  const bytes = new Uint8Array(width);
  if (typeof value === "string" && /^0x[0-9a-f]+$/i.test(value) && value.length === 2 + 2 * width) {
    for (let at = 0; at < width; at++) bytes[width - 1 - at] = Number.parseInt(value.slice(2 + 2 * at, 4 + 2 * at), 16);
    return bytes;
  }
  const view = new DataView(bytes.buffer);
  if (kind === "bool" || kind === "int" || kind === "uint") {
    if (value === true) return Uint8Array.of(1);
    if (typeof value !== "number" || !Number.isInteger(value)) return undefined;
    let rest = BigInt.asUintN(8 * width, BigInt(value));
    for (let at = 0; at < width; at++, rest /= 256n) bytes[at] = Number(rest % 256n);
    return bytes;
  }
  const number = typeof value === "number" ? value : typeof value === "string" ? NAMED.get(value) : undefined;
  if (number === undefined) return undefined;
  if (width === 8) view.setFloat64(0, number, true);
  else if (width === 4) view.setFloat32(0, number, true);
  else return patternOf(number, dtype, width);
  return bytes;
}

const NAMED = new Map([
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
]);

/** The pattern of a small float that stands for a number, or for the nearest to it, found among all of them. */
function patternOf(number: number, dtype: string, width: number): Uint8Array | undefined {
  if (!canDecode(dtype)) return undefined;
  const count = 256 ** width;
  const patterns = new Uint8Array(count * width);
  for (let pattern = 0; pattern < count; pattern++) {
    patterns[pattern * width] = pattern % 256;
    if (width === 2) patterns[pattern * 2 + 1] = Math.floor(pattern / 256);
  }
  const values = new Float64Array(count);
  decodeNumbers(dtype, patterns, values);
  let nearest = values.findIndex((value) => Object.is(value, number));
  if (nearest < 0)
    for (const [pattern, value] of values.entries())
      if (!(Math.abs(value - number) >= Math.abs((values[nearest] ?? Number.NaN) - number)))
        nearest = Number.isNaN(value) ? nearest : pattern;
  return nearest < 0 ? undefined : patterns.slice(nearest * width, (nearest + 1) * width);
}
