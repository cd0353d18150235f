import { damage, type Random } from "@ckptkit/testkit";
import { wordsFor } from "./dictionary.js";
import { bytesOf, type FuzzCase, withFile } from "./fuzz-case.js";
import { rebuild } from "./rebuild.js";

type Bytes = Uint8Array<ArrayBuffer>;

/** Cases may not grow beyond this: a larger one shows nothing that a smaller one does not. */
const MAX_BYTES = 512 * 1024;

/** A changed case, and whether it was changed in one place only and by chance, as damage is. */
export interface Mutated {
  readonly input: FuzzCase;
  readonly isDamage: boolean;
}

/** Changes one of the files of a case in one to eight ways; `other` gives parts to be spliced in. */
export function mutate(input: FuzzCase, other: FuzzCase, random: Random): Mutated {
  const names = [...input.files.keys()];
  // What describes a checkpoint is in the main file; the others have their turn.
  const name = random.integer(3) > 0 ? input.main : (names[random.integer(names.length)] ?? input.main);
  const original = input.files.get(name) ?? new Uint8Array(0);
  const donors = [...other.files.values()];
  const donor = donors[random.integer(donors.length)] ?? original;
  if (random.integer(4) === 0) {
    const rebuilt = rebuild(original, random, (part) => change(part, donor, random));
    if (rebuilt && rebuilt.length <= MAX_BYTES)
      return { input: { ...withFile(input, name, rebuilt), truthOf: undefined }, isDamage: false };
  }
  if (random.integer(3) === 0) {
    // The generators of testkit: the ways in which files get damaged on disks and networks.
    const bytes = new Uint8Array(damage(original, random.integer(2 ** 31)).bytes);
    return { input: withFile(input, name, bytes), isDamage: true };
  }
  let bytes: Bytes = original;
  for (let times = 1 << random.integer(4); times > 0; times--) bytes = change(bytes, donor, random);
  if (bytesOf(input) - original.length + bytes.length > MAX_BYTES) bytes = bytes.slice(0, original.length);
  return { input: { ...withFile(input, name, bytes), truthOf: undefined }, isDamage: false };
}

const KINDS = [flip, setByte, integers, integers, integers, digits, word, word, splice, duplicate, remove, move, truncate];

function change(bytes: Bytes, donor: Bytes, random: Random): Bytes {
  if (bytes.length === 0) return donor.slice(0, 64);
  const kind = KINDS[random.integer(KINDS.length)] ?? flip;
  return kind(bytes, random, donor);
}

const at = (bytes: Bytes, random: Random): number => random.integer(bytes.length);

function flip(bytes: Bytes, random: Random): Bytes {
  const copy = bytes.slice();
  const place = at(copy, random);
  copy[place] = (copy[place] ?? 0) ^ (1 << random.integer(8));
  return copy;
}

function setByte(bytes: Bytes, random: Random): Bytes {
  const copy = bytes.slice();
  copy[at(copy, random)] = random.integer(256);
  return copy;
}

/** Numbers at which sizes, offsets and signs change their meaning. */
const TELLING = [
  0n,
  1n,
  2n,
  3n,
  7n,
  8n,
  0x7fn,
  0x80n,
  0xffn,
  0xffffn,
  0x10000n,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  0x100000000n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
];

/** Replaces something that could be a length or an offset: an integer of 1 to 8 bytes that is not larger than the file. */
function integers(bytes: Bytes, random: Random): Bytes {
  const copy = bytes.slice();
  const width = 1 << random.integer(4);
  if (copy.length < width) return flip(bytes, random);
  const view = new DataView(copy.buffer);
  const read = (place: number): bigint => {
    let value = 0n;
    for (let index = width - 1; index >= 0; index--) value = value * 256n + BigInt(copy[place + index] ?? 0);
    return value;
  };
  let place = random.integer(copy.length - width + 1);
  const size = BigInt(copy.length);
  for (let tries = 0; tries < 256 && place + 1 + width <= copy.length; tries++, place++) {
    const value = read(place);
    if (value > 0n && value <= 2n * size) break;
  }
  const value = read(place);
  const choices = [...TELLING, size, size - 1n, size + 1n, value + 1n, value - 1n, value * 2n, size - BigInt(place), -value];
  const chosen = BigInt.asUintN(8 * width, choices[random.integer(choices.length)] ?? 0n);
  const little = random.integer(6) > 0;
  for (let index = 0; index < width; index++) {
    const byte = Number((chosen >> BigInt(8 * (little ? index : width - 1 - index))) & 0xffn);
    view.setUint8(place + index, byte);
  }
  return copy;
}

const NUMBERS = [
  "0",
  "-1",
  "1",
  "2",
  "255",
  "65536",
  "2147483648",
  "4294967296",
  "9007199254740993",
  "18446744073709551616",
  "1e999",
  "1.5",
  "00",
  "",
];

/** Replaces a run of decimal digits. */
function digits(bytes: Bytes, random: Random): Bytes {
  const isDigit = (place: number): boolean => (bytes[place] ?? 0) >= 0x30 && (bytes[place] ?? 0) <= 0x39;
  let start = at(bytes, random);
  const limit = Math.min(bytes.length, start + 512);
  while (start < limit && !isDigit(start)) start++;
  if (start === limit) return integers(bytes, random);
  let end = start;
  while (end < bytes.length && isDigit(end)) end++;
  return put(bytes, start, end, new Uint8Array(Buffer.from(NUMBERS[random.integer(NUMBERS.length)] ?? "0")));
}

function word(bytes: Bytes, random: Random): Bytes {
  const words = wordsFor(bytes);
  const chosen = new Uint8Array(Buffer.from(words[random.integer(words.length)] ?? "", "latin1"));
  const place = at(bytes, random);
  return put(bytes, place, random.integer(2) === 0 ? place : Math.min(bytes.length, place + chosen.length), chosen);
}

/** A part of the other file in the place of one of this. */
function splice(bytes: Bytes, random: Random, donor: Bytes): Bytes {
  if (donor.length === 0) return flip(bytes, random);
  const [from, to] = range(donor, random);
  const [start, end] = range(bytes, random);
  return random.integer(4) === 0 ? put(bytes, start, bytes.length, donor.subarray(from)) : put(bytes, start, end, donor.subarray(from, to));
}

function duplicate(bytes: Bytes, random: Random): Bytes {
  const [start, end] = range(bytes, random);
  return put(bytes, start, start, bytes.subarray(start, end));
}

function remove(bytes: Bytes, random: Random): Bytes {
  const [start, end] = range(bytes, random);
  return put(bytes, start, end, new Uint8Array(0));
}

/** A block over another one. */
function move(bytes: Bytes, random: Random): Bytes {
  const [start, end] = range(bytes, random);
  const copy = bytes.slice();
  copy.copyWithin(at(bytes, random), start, end);
  return copy;
}

function truncate(bytes: Bytes, random: Random): Bytes {
  return bytes.slice(0, at(bytes, random));
}

/** A range, more often short than long. */
function range(bytes: Bytes, random: Random): [start: number, end: number] {
  const start = at(bytes, random);
  return [start, Math.min(bytes.length, start + 1 + random.integer(1 << (1 + random.integer(12))))];
}

function put(bytes: Bytes, start: number, end: number, middle: Uint8Array): Bytes {
  const whole = new Uint8Array(start + middle.length + bytes.length - end);
  whole.set(bytes.subarray(0, start));
  whole.set(middle, start);
  whole.set(bytes.subarray(end), start + middle.length);
  return whole;
}
