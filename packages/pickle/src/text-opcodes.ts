import { realNumber } from "@ckptkit/core";
import { kindOf, type Machine } from "./machine.js";
import { parseDecimal, parseFloatText } from "./numbers.js";
import { decodeLatin1, decodeRawUnicodeEscape, decodeStringEscape, decodeUtf8 } from "./strings.js";
import type { PickleValue } from "./values.js";

/** The arguments of protocol 0: lines of text. */

/** Takes the bytes up to the next line feed, and the line feed. */
function line(machine: Machine): Uint8Array {
  const { bytes, pos, end } = machine;
  const feed = bytes.indexOf(0x0a, pos);
  if (feed < 0 || feed >= end) throw machine.endOfBytes("a line that ends in a line feed");
  machine.pos = feed + 1;
  if (feed - pos > machine.limits.pickleStringBytes) throw machine.overLimit("pickleStringBytes", feed - pos);
  return bytes.subarray(pos, feed);
}

/** A line in which only a name, number or id can stand, as text. */
function textLine(machine: Machine): string {
  const bytes = line(machine);
  const text = decodeUtf8(bytes, 0, bytes.length);
  if (text === undefined) throw machine.corrupt("a line of UTF-8", "other bytes");
  return text;
}

/** INT: a decimal integer, or 00 and 01 for False and True. */
export function readInt(machine: Machine): PickleValue {
  const text = decimalLine(machine);
  if (text === "00" || text === "01") return text === "01";
  return decimal(machine, text);
}

/** LONG: a decimal integer with a trailing L. */
export function readLong(machine: Machine): PickleValue {
  return decimal(machine, decimalLine(machine).replace(/L$/, ""));
}

function decimalLine(machine: Machine): string {
  const bytes = line(machine);
  // Sign and suffix are no digits.
  if (bytes.length > machine.limits.pickleIntegerDigits + 2) throw machine.overLimit("pickleIntegerDigits", bytes.length);
  return decodeLatin1(bytes);
}

function decimal(machine: Machine, text: string): number | bigint {
  const value = parseDecimal(text);
  if (value === undefined) throw machine.corrupt("a decimal integer", quote(text));
  return value;
}

/** FLOAT: what Python's repr() writes for a float. */
export function readFloat(machine: Machine): PickleValue {
  const text = textLine(machine);
  const value = parseFloatText(text);
  if (value === undefined) throw machine.corrupt("a decimal number", quote(text));
  return realNumber(value);
}

/** STRING: a Python 2 string literal. */
export function readString(machine: Machine): string | Uint8Array {
  const bytes = line(machine);
  const mark = bytes[0];
  if (bytes.length < 2 || (mark !== 0x27 && mark !== 0x22) || bytes[bytes.length - 1] !== mark) {
    throw machine.corrupt("a string in quotes", quote(decodeLatin1(bytes.subarray(0, 40))));
  }
  const value = decodeStringEscape(bytes.subarray(1, -1));
  if (!value) throw machine.corrupt("escapes of Python", quote(decodeLatin1(bytes.subarray(0, 40))));
  return decodeUtf8(value, 0, value.length) ?? value;
}

/** UNICODE: raw-unicode-escape. */
export function readUnicode(machine: Machine): string {
  const text = decodeRawUnicodeEscape(line(machine));
  if (text === undefined) throw machine.corrupt("\\uXXXX or \\UXXXXXXXX", "another escape");
  return text;
}

/** The memo slot of GET and PUT. */
export function readSlot(machine: Machine): number {
  const text = textLine(machine);
  if (!/^[0-9]{1,15}$/.test(text)) throw machine.corrupt("the number of a memo slot", quote(text));
  return Number(text);
}

/** GLOBAL and INST: two lines, module and name. */
export function readGlobal(machine: Machine, opcode: "GLOBAL" | "INST"): PickleValue {
  const module = textLine(machine);
  return machine.global(module, textLine(machine), opcode);
}

/** STACK_GLOBAL: module and name from the stack. Whatever opcode made the strings, their values count. */
export function stackGlobal(machine: Machine): PickleValue {
  const name = machine.pop();
  const module = machine.pop();
  if (typeof name === "string" && typeof module === "string") return machine.global(module, name, "STACK_GLOBAL");
  throw machine.corrupt("a module and a name, two strings", `${kindOf(module)} and ${kindOf(name)}`);
}

/** PERSID: the id as text. */
export function readPersistentId(machine: Machine): string {
  return textLine(machine);
}

function quote(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}...` : text);
}
