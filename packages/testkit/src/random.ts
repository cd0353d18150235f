/** A source of pseudo-random numbers that gives the same ones for the same seed, everywhere. */
export interface Random {
  /** An integer in [0, below). `below` must be within 1 and 2^32. */
  integer(below: number): number;
}

/**
 * Marsaglia's 32-bit xorshift (triple 13, 17, 5): good enough to choose places, and repeatable.
 *
 * @see https://www.jstatsoft.org/article/view/v008i14
 * @example const place = seededRandom(7).integer(bytes.length);
 */
export function seededRandom(seed: number): Random {
  // Neighbouring seeds are spread by Knuth's multiplicative hash; the state may never be 0.
  let state = Math.imul(seed + 1, 0x9e3779b1) >>> 0 || 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state;
  };
  for (let skip = 0; skip < 4; skip++) next();
  return { integer: (below) => Math.floor((next() / 0x1_0000_0000) * below) };
}
