/**
 * The opcodes, a line for each protocol that brought some: two hexadecimal digits for the byte and the name; without digits the byte
 * is one more than the last.
 *
 * @see https://github.com/python/cpython/blob/main/Lib/pickletools.py the table `opcodes`
 */
const TABLE = [
  "28MARK 2eSTOP 30POP 32DUP 46FLOAT 49INT 4cLONG 4eNONE 50PERSID 52REDUCE STRING 56UNICODE 61APPEND BUILD GLOBAL DICT 67GET 69INST 6cLIST 70PUT 73SETITEM TUPLE",
  "29EMPTY_TUPLE 31POP_MARK 47BINFLOAT 4aBININT BININT1 4dBININT2 51BINPERSID 54BINSTRING SHORT_BINSTRING 58BINUNICODE 5dEMPTY_LIST 65APPENDS 68BINGET 6aLONG_BINGET 6fOBJ 71BINPUT LONG_BINPUT 75SETITEMS 7dEMPTY_DICT",
  "80PROTO NEWOBJ EXT1 EXT2 EXT4 TUPLE1 TUPLE2 TUPLE3 NEWTRUE NEWFALSE LONG1 LONG4",
  "42BINBYTES SHORT_BINBYTES",
  "8cSHORT_BINUNICODE BINUNICODE8 BINBYTES8 EMPTY_SET ADDITEMS FROZENSET NEWOBJ_EX STACK_GLOBAL MEMOIZE FRAME",
  "96BYTEARRAY8 NEXT_BUFFER READONLY_BUFFER",
] as const;

type Digit = "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9";
type NameOf<Entry> = Entry extends `${Digit}${infer Rest}` ? (Rest extends `${string}${infer Name}` ? Name : never) : Entry;
type NamesOf<Line, Found = never> = Line extends `${infer First} ${infer Rest}`
  ? NamesOf<Rest, Found | NameOf<First>>
  : Found | NameOf<Line>;

/** Name of an opcode. */
export type OpcodeName = NamesOf<(typeof TABLE)[number]>;

/** An opcode's byte and the protocol that brought it. */
export type Opcode = readonly [code: number, protocol: number];

/** The opcodes of protocols 0 to 5: code and the protocol that brought it. */
export const OPCODES: Readonly<Record<OpcodeName, Opcode>> = /* @__PURE__ */ read();

function read(): Record<OpcodeName, Opcode> {
  const opcodes: [string, Opcode][] = [];
  for (const [protocol, line] of TABLE.entries()) {
    let code = 0;
    for (const [, digits, name = ""] of line.matchAll(/([\da-f]{2})?(\w+)/g)) {
      code = digits ? Number.parseInt(digits, 16) : code + 1;
      opcodes.push([name, [code, protocol]]);
    }
  }
  // The names are those of the lines, which are all that was read.
  return Object.fromEntries(opcodes) as Record<OpcodeName, Opcode>;
}

/** The highest protocol that exists. */
export const HIGHEST_PROTOCOL = 5;

/** Name and protocol of the opcode with this byte; undefined when there is none. */
export function opcodeOf(byte: number): { name: string; protocol: number } | undefined {
  const found = Object.entries(OPCODES).find(([, [code]]) => code === byte);
  return found && { name: found[0], protocol: found[1][1] };
}

/** How a message names the opcode with this byte. */
export function opcodeLabel(byte: number): string {
  return opcodeOf(byte)?.name ?? `0x${byte.toString(16).padStart(2, "0")}`;
}
