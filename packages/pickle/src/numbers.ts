/** Decimal digits that always fit into 2^53 - 1. */
const SAFE_DIGITS = 15;

/** An integer in the form that values use: a number within 2^53 - 1, a bigint beyond. */
export function fromBigInt(value: bigint): number | bigint {
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}

/**
 * Decodes a little-endian two's complement integer of any length, in time proportional to it.
 *
 * @throws {RangeError} when the engine cannot hold an integer of this size.
 */
export function decodeLong(bytes: Uint8Array, start: number, end: number): number | bigint {
  const length = end - start;
  if (length === 0) return 0;
  const negative = (bytes[end - 1] ?? 0) >= 0x80;
  if (length <= 6) {
    let value = 0;
    for (let at = end - 1; at >= start; at--) value = value * 256 + (bytes[at] ?? 0);
    return negative ? value - 256 ** length : value;
  }
  // Digit by digit would be quadratic; engines parse hexadecimal in linear time.
  const digits: string[] = [];
  for (let at = end - 1; at >= start; at--) digits.push(HEX[bytes[at] ?? 0] ?? "");
  const value = BigInt(`0x${digits.join("")}`);
  return fromBigInt(negative ? BigInt.asIntN(8 * length, value) : value);
}

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Encodes an integer as the shortest little-endian two's complement that Python reads; 0 has no bytes. */
export function encodeLong(value: bigint): Uint8Array {
  if (value === 0n) return new Uint8Array(0);
  const magnitude = (value < 0n ? -value - 1n : value).toString(16);
  // One bit more than the magnitude has: the sign.
  const bits = 4 * (magnitude.length - 1) + (32 - Math.clz32(Number.parseInt(magnitude[0] ?? "0", 16))) + 1;
  const length = Math.ceil(bits / 8);
  const digits = BigInt.asUintN(8 * length, value)
    .toString(16)
    .padStart(2 * length, "0");
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index++) {
    const at = digits.length - 2 * index - 2;
    bytes[index] = Number.parseInt(digits.slice(at, at + 2), 16);
  }
  return bytes;
}

/** Reads a decimal integer; undefined when the text is none. */
export function parseDecimal(text: string): number | bigint | undefined {
  if (!/^[+-]?[0-9]+$/.test(text)) return undefined;
  if (text.length <= SAFE_DIGITS) return Number(text) + 0;
  return fromBigInt(BigInt(text.startsWith("+") ? text.slice(1) : text));
}

/**
 * Reads a float as Python's `float()` reads what `repr()` writes; undefined when the text is none.
 *
 * @example parseFloatText("1e-05") // 0.00001
 */
export function parseFloatText(text: string): number | undefined {
  if (/^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$/.test(text)) return Number(text);
  const word = /^([+-]?)(nan|inf|infinity)$/i.exec(text);
  if (!word) return undefined;
  if (word[2]?.toLowerCase() === "nan") return Number.NaN;
  return word[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}
