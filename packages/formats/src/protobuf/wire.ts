import type { Bytes } from "@ckptkit/core";

/** Wire types that are in use; groups (3 and 4) are in no message that is read here. */
export const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** One field of a message: its number, its wire type, and its value or the range of its bytes. */
export interface WireField {
  readonly number: number;
  readonly wire: number;
  /** Of a varint: unsigned, a bigint beyond 2^53 - 1; else 0. */
  readonly value: number | bigint;
  /** Where the value's bytes begin and end; for {@link WIRE.bytes} those after the length, which may lie beyond the bytes in hand. */
  readonly start: number;
  readonly end: number;
}

/** Bytes of the longest tag with the longest varint after it. */
export const LONGEST_FIELD = 20;
/** Bytes of the longest varint. */
const LONGEST_VARINT = 10;
/** Varints of up to so many bytes are exact numbers. */
const EXACT_BYTES = 7;

/** A varint and where it ends. */
export interface Varint {
  readonly value: number | bigint;
  readonly end: number;
}

/**
 * Reads a varint; undefined when it is cut off or too long.
 *
 * @see https://protobuf.dev/programming-guides/encoding/#varints
 */
export function readVarint(bytes: Bytes, at: number): Varint | undefined {
  let value = 0;
  let unit = 1;
  for (let index = 0; index < LONGEST_VARINT; index++) {
    const byte = bytes[at + index];
    if (byte === undefined) return undefined;
    if (index === EXACT_BYTES) return readLongVarint(bytes, at);
    value += (byte & 127) * unit;
    unit *= 128;
    if (byte < 128) return { value, end: at + index + 1 };
  }
  return undefined;
}

function readLongVarint(bytes: Bytes, at: number): Varint | undefined {
  let value = 0n;
  for (let index = 0; index < LONGEST_VARINT; index++) {
    const byte = bytes[at + index];
    if (byte === undefined) return undefined;
    value += BigInt(byte & 127) << BigInt(7 * index);
    if (byte < 128) {
      const exact = BigInt.asUintN(64, value);
      return { value: exact <= Number.MAX_SAFE_INTEGER ? Number(exact) : exact, end: at + index + 1 };
    }
  }
  return undefined;
}

/**
 * Reads the tag of a field, and its value or length; undefined when that makes no sense, or is cut off.
 *
 * @see https://protobuf.dev/programming-guides/encoding/#structure
 */
export function readField(bytes: Bytes, at: number): WireField | undefined {
  const tag = readVarint(bytes, at);
  if (!tag || typeof tag.value !== "number" || tag.value >= 2 ** 32) return undefined;
  const wire = tag.value % 8;
  const number = Math.floor(tag.value / 8);
  if (number === 0) return undefined;
  const start = tag.end;
  if (wire === WIRE.fixed32) return { number, wire, value: 0, start, end: start + 4 };
  if (wire === WIRE.fixed64) return { number, wire, value: 0, start, end: start + 8 };
  if (wire !== WIRE.varint && wire !== WIRE.bytes) return undefined;
  const varint = readVarint(bytes, start);
  if (!varint) return undefined;
  if (wire === WIRE.varint) return { number, wire, value: varint.value, start, end: varint.end };
  const length = varint.value;
  return typeof length === "number" && Number.isSafeInteger(varint.end + length)
    ? { number, wire, value: 0, start: varint.end, end: varint.end + length }
    : undefined;
}

/** A varint of a signed type: negative numbers are stored as their two's complement of 64 bits. */
export function signed(value: number | bigint): number | bigint {
  if (typeof value === "number") return value;
  const number = BigInt.asIntN(64, value);
  return number >= Number.MIN_SAFE_INTEGER && number <= Number.MAX_SAFE_INTEGER ? Number(number) : number;
}
