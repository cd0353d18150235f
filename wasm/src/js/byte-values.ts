/** Dtypes whose elements are one byte each. */
export type ByteElement = "BOOL" | "U8" | "I8" | "QINT8" | "QUINT8" | "F8_E4M3" | "F8_E5M2" | "F8_E4M3FNUZ" | "F8_E5M2FNUZ" | "F8_E8M0";

/**
 * The number that a byte stands for. F8_E4M3 is the "fn" variant: no infinities, NaN is 0x7f and 0xff. The "fnuz" kinds have no
 * infinities and no negative zero, whose pattern is their NaN; F8_E8M0 is a power of two.
 *
 * @see https://arxiv.org/abs/2209.05433 table 1
 * @see https://arxiv.org/abs/2206.02915 the "fnuz" kinds
 * @see https://www.opencompute.org/documents/ocp-microscaling-formats-mx-v1-0-spec-final-pdf section 5.4.1, E8M0
 */
export function byteValue(dtype: ByteElement, byte: number): number {
  switch (dtype) {
    case "U8":
    case "QUINT8":
      return byte;
    case "I8":
    case "QINT8":
      return byte < 128 ? byte : byte - 256;
    case "BOOL":
      return byte === 0 ? 0 : 1;
    case "F8_E4M3":
      return (byte & 0x7f) === 0x7f ? Number.NaN : minifloat(byte, 3, 7);
    case "F8_E5M2":
      if ((byte & 0x7f) > 0x7c) return Number.NaN;
      return (byte & 0x7f) === 0x7c ? (byte < 128 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY) : minifloat(byte, 2, 15);
    case "F8_E4M3FNUZ":
      return byte === 0x80 ? Number.NaN : minifloat(byte, 3, 8);
    case "F8_E5M2FNUZ":
      return byte === 0x80 ? Number.NaN : minifloat(byte, 2, 16);
    case "F8_E8M0":
      return byte === 0xff ? Number.NaN : 2 ** (byte - 127);
  }
}

/** A float of eight bits: sign, exponent with `bias`, `mantissaBits` of mantissa. Exponent 0 means subnormal. */
function minifloat(byte: number, mantissaBits: number, bias: number): number {
  const exponent = (byte & 0x7f) >> mantissaBits;
  const fraction = (byte & ((1 << mantissaBits) - 1)) / (1 << mantissaBits);
  const magnitude = exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias);
  return byte < 128 ? magnitude : -magnitude;
}
