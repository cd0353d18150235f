import { type Random, seededRandom } from "./random.js";

/** A damaged copy of a file. */
export interface Damage {
  bytes: Uint8Array;
  /** What was done, and where: for the message of a failing test. Holds the seed. */
  description: string;
}

/** Bytes at each end in which most of a container's structure lies: two thirds of the damage goes there. */
const EDGE_BYTES = 4096;

/**
 * Damages a copy of a file in one of the ways in which files get damaged: cut off, bits flipped, a range zeroed, overwritten,
 * doubled or lost. The same bytes and seed give the same damage. Costs one copy of the file.
 *
 * @example for (let seed = 0; seed < 500; seed++) { const { bytes, description } = damage(original, seed); ... }
 */
export function damage(original: Uint8Array, seed: number): Damage {
  const random = seededRandom(seed);
  const kind = KINDS[random.integer(KINDS.length)] ?? flipBits;
  const { bytes, what } =
    original.length === 0 ? { bytes: new Uint8Array(0), what: "nothing: there are no bytes" } : kind(original, random);
  return { bytes, description: `seed ${seed}: ${what}` };
}

interface Done {
  bytes: Uint8Array;
  what: string;
}

// Flips are the finest damage and the likeliest to reach deep into a parser, so they are drawn as often as all others.
const KINDS = [flipBits, flipBits, flipBits, setByte, setByte, truncate, truncate, zeroRange, scramble, doubleRange, dropRange];

/** A place near the start, near the end, or anywhere. */
function place(length: number, random: Random): number {
  const edge = Math.min(length, EDGE_BYTES);
  const where = random.integer(3);
  if (where === 0) return random.integer(edge);
  if (where === 1) return length - 1 - random.integer(edge);
  return random.integer(length);
}

/** A short range at such a place: [start, end), one byte at least. */
function range(length: number, random: Random): [start: number, end: number] {
  const start = place(length, random);
  const longest = Math.min(length - start, 1 << random.integer(9));
  return [start, start + 1 + random.integer(longest)];
}

function flipBits(original: Uint8Array, random: Random): Done {
  const bytes = original.slice();
  const flips = Array.from({ length: 1 + random.integer(4) }, () => {
    const at = place(bytes.length, random);
    const bit = random.integer(8);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
    return `${bit} of byte ${at}`;
  });
  return { bytes, what: `flipped bit ${flips.join(", ")}` };
}

/** Values at which lengths and opcodes change their meaning. */
const TELLING_BYTES = [0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff, 0x2e, 0x28, 0x7d];

function setByte(original: Uint8Array, random: Random): Done {
  const bytes = original.slice();
  const at = place(bytes.length, random);
  const value = TELLING_BYTES[random.integer(TELLING_BYTES.length)] ?? 0;
  bytes[at] = value;
  return { bytes, what: `set byte ${at} to ${value}` };
}

function truncate(original: Uint8Array, random: Random): Done {
  const length = place(original.length, random);
  return { bytes: original.slice(0, length), what: `cut off after ${length} of ${original.length} bytes` };
}

function zeroRange(original: Uint8Array, random: Random): Done {
  const [start, end] = range(original.length, random);
  const bytes = original.slice();
  bytes.fill(0, start, end);
  return { bytes, what: `zeroed [${start}, ${end})` };
}

function scramble(original: Uint8Array, random: Random): Done {
  const [start, end] = range(original.length, random);
  const bytes = original.slice();
  for (let at = start; at < end; at++) bytes[at] = random.integer(256);
  return { bytes, what: `overwrote [${start}, ${end}) at random` };
}

function doubleRange(original: Uint8Array, random: Random): Done {
  const [start, end] = range(original.length, random);
  return { bytes: join(original.subarray(0, end), original.subarray(start)), what: `doubled [${start}, ${end})` };
}

function dropRange(original: Uint8Array, random: Random): Done {
  const [start, end] = range(original.length, random);
  return { bytes: join(original.subarray(0, start), original.subarray(end)), what: `dropped [${start}, ${end})` };
}

function join(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}
