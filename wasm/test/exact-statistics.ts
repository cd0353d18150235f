/**
 * Mean and population standard deviation as their definitions say, in exact rational arithmetic: nothing is rounded before the
 * last step. Slow, and independent of every formula in the kernels.
 */
export function exactStatistics(numbers: readonly (number | bigint)[]): { mean: number; std: number } {
  // Every float64 is an integer times 2^-1074.
  const scaled = numbers.map(toScaled);
  const n = BigInt(scaled.length);
  const sum = scaled.reduce((total, x) => total + x, 0n);
  const squares = scaled.reduce((total, x) => total + x * x, 0n);
  return { mean: ratio(sum, n, -1074), std: rootOfRatio(n * squares - sum * sum, n * n, -1074) };
}

const VIEW = new DataView(new ArrayBuffer(8));

function toScaled(x: number | bigint): bigint {
  if (typeof x === "bigint") return x << 1074n;
  VIEW.setFloat64(0, x);
  const bits = VIEW.getBigUint64(0);
  const exponent = (bits >> 52n) & 2047n;
  const fraction = bits & ((1n << 52n) - 1n);
  const magnitude = exponent === 0n ? fraction : (fraction | (1n << 52n)) << (exponent - 1n);
  return x < 0 ? -magnitude : magnitude;
}

const bitLength = (x: bigint): number => x.toString(16).length * 4;

/** Multiplies by a power of two in steps that neither overflow nor vanish before the last. */
function scale(x: number, exponent: number): number {
  let result = x;
  for (let left = exponent; left !== 0; ) {
    const step = Math.max(-500, Math.min(500, left));
    result *= 2 ** step;
    left -= step;
  }
  return result;
}

/** numerator / denominator x 2^exponent, to 63 bits and more before it is rounded. */
function ratio(numerator: bigint, denominator: bigint, exponent: number): number {
  if (numerator < 0n) return -ratio(-numerator, denominator, exponent);
  const shift = Math.max(0, 120 + bitLength(denominator) - bitLength(numerator));
  const quotient = (numerator << BigInt(shift)) / denominator;
  const cut = Math.max(0, bitLength(quotient) - 100);
  return scale(Number(quotient >> BigInt(cut)), exponent - shift + cut);
}

/** The square root of numerator / denominator, x 2^exponent. */
function rootOfRatio(numerator: bigint, denominator: bigint, exponent: number): number {
  if (numerator === 0n) return 0;
  let shift = 300 + bitLength(denominator) - bitLength(numerator);
  if (shift % 2 !== 0) shift++;
  const quotient = shift >= 0 ? (numerator << BigInt(shift)) / denominator : numerator / (denominator << BigInt(-shift));
  const cut = 2 * Math.max(0, Math.floor((bitLength(quotient) - 110) / 2));
  return scale(Math.sqrt(Number(quotient >> BigInt(cut))), exponent + (cut - shift) / 2);
}
