import type { Machine } from "./machine.js";
import { decodeLong } from "./numbers.js";
import { decodeUtf8 } from "./strings.js";

/** The arguments of binary opcodes that carry their length in front. */

/** Reads a little-endian length of 1, 4 or 8 bytes and makes sure that so many bytes follow. */
export function readLength(machine: Machine, size: 1 | 4 | 8): number {
  machine.need(size);
  const { view, pos } = machine;
  machine.pos = pos + size;
  const length = size === 1 ? view.getUint8(pos) : size === 4 ? view.getUint32(pos, true) : readUint64(machine, pos);
  machine.need(length);
  return length;
}

/** Eight bytes as a number. Above 2^53 it is rounded, and longer than any stream all the same. */
export function readUint64(machine: Machine, pos: number): number {
  return machine.view.getUint32(pos + 4, true) * 2 ** 32 + machine.view.getUint32(pos, true);
}

/** Takes `length` bytes, which {@link readLength} has found to be there, as a view of the input. */
export function readBytes(machine: Machine, length: number): Uint8Array {
  const { bytes, pos } = machine;
  machine.built();
  machine.pos = pos + length;
  return bytes.subarray(pos, pos + length);
}

/** Takes `length` bytes as UTF-8 in which lone surrogates are allowed. */
export function readUnicode(machine: Machine, length: number): string {
  const text = decode(machine, length);
  if (text === undefined) throw machine.corrupt("UTF-8", "other bytes");
  return text;
}

/** Takes `length` bytes of a Python 2 str: text where it is UTF-8, else bytes. */
export function readPython2Str(machine: Machine, length: number): string | Uint8Array {
  const { pos } = machine;
  return decode(machine, length) ?? machine.bytes.subarray(pos, pos + length);
}

function decode(machine: Machine, length: number): string | undefined {
  const { pos } = machine;
  if (length > machine.limits.pickleStringBytes) throw machine.overLimit("pickleStringBytes", length);
  machine.pos = pos + length;
  return decodeUtf8(machine.bytes, pos, pos + length);
}

/** Takes `length` bytes as a two's complement integer. */
export function readLongBytes(machine: Machine, length: number): number | bigint {
  const { pos } = machine;
  if (length > machine.limits.pickleIntegerBytes) throw machine.overLimit("pickleIntegerBytes", length);
  machine.pos = pos + length;
  try {
    return decodeLong(machine.bytes, pos, pos + length);
  } catch {
    // A raised limit may exceed what this engine's BigInt holds.
    throw machine.overLimit("pickleIntegerBytes", length);
  }
}
