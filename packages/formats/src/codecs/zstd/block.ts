import type { Bytes } from "@ckptkit/core";
import { bad } from "../errors.js";
import { BackwardBits } from "./bits.js";
import { type FseTable, onlySymbol, readFse } from "./fse.js";
import { decodeHuffman, type HuffmanTable, readHuffman } from "./huffman.js";
import { LITERAL_LENGTHS, MATCH_LENGTHS, PREDEFINED } from "./sequences.js";

/** Bytes that a block has at the most, compressed or not. */
export const MOST_BLOCK_BYTES = 128 * 1024;
const MOST_OFFSET_CODE = 31;

/** Where a block is decoded to. */
export interface BlockTarget {
  /** What was decoded before, and room for a block behind it. */
  readonly bytes: Uint8Array;
  /** Where what may be referred to begins, where the block begins, and where it must end at the latest. */
  readonly first: number;
  readonly start: number;
  readonly limit: number;
}

interface SequenceTables {
  readonly literals: FseTable;
  readonly offsets: FseTable;
  readonly matches: FseTable;
}

/** Decodes the compressed blocks of one frame, in their order. @see https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1.3 */
export class BlockDecoder {
  #huffman: HuffmanTable | undefined;
  #tables: SequenceTables | undefined;
  /** The last three offsets. */
  #offsets: [number, number, number] = [1, 4, 8];
  readonly #literals = new Uint8Array(MOST_BLOCK_BYTES);

  /** Returns where the block ends in the target. @throws {BlockError} */
  decode(block: Bytes, target: BlockTarget): number {
    const { length, end } = this.#readLiterals(block);
    return this.#readSequences(block, end, length, target);
  }

  #readLiterals(block: Bytes): { length: number; end: number } {
    const { 0: a = 0, 1: b = 0, 2: c = 0, 3: d = 0, 4: e = 0 } = block;
    const type = a & 3;
    const form = (a >> 2) & 3;
    if (type < 2) {
      const headBytes = form === 1 ? 2 : form === 3 ? 3 : 1;
      const length = form === 1 ? (a >> 4) + b * 16 : form === 3 ? (a >> 4) + b * 16 + c * 4096 : a >> 3;
      const end = headBytes + (type === 0 ? length : 1);
      if (length > MOST_BLOCK_BYTES || end > block.length) bad("the literals of a block are cut off");
      if (type === 0) this.#literals.set(block.subarray(headBytes, end));
      else this.#literals.fill(block[headBytes] ?? 0, 0, length);
      return { length, end };
    }
    const sizeBits = form < 2 ? 10 : form === 2 ? 14 : 18;
    const headBytes = form < 2 ? 3 : form === 2 ? 4 : 5;
    const both = a / 16 + b * 2 ** 4 + c * 2 ** 12 + d * 2 ** 20 + e * 2 ** 28;
    const length = Math.floor(both) % 2 ** sizeBits;
    const stored = Math.floor(both / 2 ** sizeBits) % 2 ** sizeBits;
    const end = headBytes + stored;
    if (length > MOST_BLOCK_BYTES || end > block.length) bad("the literals of a block are cut off");
    let start = headBytes;
    if (type === 2) {
      const read = readHuffman(block, start, end);
      this.#huffman = read.table;
      start = read.end;
    }
    if (!this.#huffman) bad("a block uses the codes of a block before it, and there are none");
    const target = this.#literals.subarray(0, length);
    if (form === 0) decodeHuffman(this.#huffman, block, start, end, target);
    else decodeFourStreams(this.#huffman, block, start, end, target);
    return { length, end };
  }

  #readSequences(block: Bytes, start: number, literalsLength: number, target: BlockTarget): number {
    const { [start + 1]: second = 0, [start + 2]: third = 0 } = block;
    let count = block[start] ?? 0;
    if (start >= block.length) bad("the sequences of a block are cut off");
    let at = start + 1;
    if (count === 0) {
      if (at !== block.length) bad("something follows the literals of a block");
      return copyLiterals(this.#literals, 0, literalsLength, target.bytes, target.start, target.limit);
    }
    if (count === 255) {
      count = second + third * 256 + 0x7f00;
      at += 2;
    } else if (count >= 128) {
      count = (count - 128) * 256 + second;
      at += 1;
    }
    const modes = block[at++] ?? 0;
    if (modes % 4 !== 0) bad("a block uses bits that are reserved");
    const table = (mode: number, before: FseTable | undefined, predefined: FseTable, mostLog: number, mostSymbols: number): FseTable => {
      if (mode === 0) return predefined;
      if (mode === 3) return before ?? bad("a block uses the table of a block before it, and there is none");
      if (mode === 2) {
        const read = readFse(block, at, mostLog, mostSymbols);
        at = read.end;
        return read.table;
      }
      const symbol = block[at++] ?? 0;
      if (symbol >= mostSymbols) bad("a code of a sequence is too large");
      return onlySymbol(symbol);
    };
    const literals = table(modes >> 6, this.#tables?.literals, PREDEFINED.literals, 9, LITERAL_LENGTHS.base.length);
    const offsets = table((modes >> 4) & 3, this.#tables?.offsets, PREDEFINED.offsets, 8, MOST_OFFSET_CODE + 1);
    const matches = table((modes >> 2) & 3, this.#tables?.matches, PREDEFINED.matches, 9, MATCH_LENGTHS.base.length);
    this.#tables = { literals, offsets, matches };
    return this.#execute(new BackwardBits(block, at, block.length), this.#tables, count, literalsLength, target);
  }

  #execute(
    reader: BackwardBits,
    { literals, offsets, matches }: SequenceTables,
    count: number,
    literalsLength: number,
    { bytes, first, start, limit }: BlockTarget,
  ): number {
    let literalState = reader.read(literals.log);
    let offsetState = reader.read(offsets.log);
    let matchState = reader.read(matches.log);
    let [last, second, third] = this.#offsets;
    let at = start;
    let literal = 0;
    for (let sequence = count; ; ) {
      const offsetCode = offsets.symbols[offsetState] ?? 0;
      const matchCode = matches.symbols[matchState] ?? 0;
      const literalCode = literals.symbols[literalState] ?? 0;
      let offset = readOffset(reader, offsetCode);
      const match = (MATCH_LENGTHS.base[matchCode] ?? 0) + reader.read(MATCH_LENGTHS.bits[matchCode] ?? 0);
      const plain = (LITERAL_LENGTHS.base[literalCode] ?? 0) + reader.read(LITERAL_LENGTHS.bits[literalCode] ?? 0);
      if (offset > 3) {
        offset -= 3;
        third = second;
        second = last;
        last = offset;
      } else {
        const repeat = plain === 0 ? offset + 1 : offset;
        if (repeat === 1) offset = last;
        else {
          offset = repeat === 2 ? second : repeat === 3 ? third : last - 1;
          if (repeat !== 2) third = second;
          second = last;
          last = offset;
        }
      }
      if (literal + plain > literalsLength || at + plain + match > limit) bad("a block has more bytes than it may");
      at = copyLiterals(this.#literals, literal, plain, bytes, at, limit);
      literal += plain;
      if (offset < 1 || offset > at - first) bad("a block refers to bytes before the first");
      at = copyMatch(bytes, at, offset, match);
      if (--sequence === 0) break;
      literalState = (literals.next[literalState] ?? 0) + reader.read(literals.bits[literalState] ?? 0);
      matchState = (matches.next[matchState] ?? 0) + reader.read(matches.bits[matchState] ?? 0);
      offsetState = (offsets.next[offsetState] ?? 0) + reader.read(offsets.bits[offsetState] ?? 0);
      if (reader.left < 0) bad("the sequences of a block are cut off");
    }
    if (reader.left !== 0) bad("the sequences of a block have another length than they say");
    this.#offsets = [last, second, third];
    return copyLiterals(this.#literals, literal, literalsLength - literal, bytes, at, limit);
  }
}

/** Up to 31 bits, in two steps. */
function readOffset(reader: BackwardBits, code: number): number {
  if (code <= 24) return (1 << code) + reader.read(code);
  const high = (1 << (code - 16)) + reader.read(code - 16);
  return high * 65_536 + reader.read(16);
}

function copyLiterals(literals: Uint8Array, from: number, count: number, bytes: Uint8Array, at: number, limit: number): number {
  const end = at + count;
  if (end > limit) bad("a block has more bytes than it may");
  if (count > 32) bytes.set(literals.subarray(from, from + count), at);
  else for (let to = at; to < end; to++) bytes[to] = literals[from + to - at] ?? 0;
  return end;
}

/** Copies bytes from before; they may overlap what they are copied to, and are then repeated. */
function copyMatch(bytes: Uint8Array, at: number, offset: number, count: number): number {
  const end = at + count;
  if (offset >= count && count > 32) bytes.copyWithin(at, at - offset, end - offset);
  else for (let to = at; to < end; to++) bytes[to] = bytes[to - offset] ?? 0;
  return end;
}

function decodeFourStreams(table: HuffmanTable, block: Bytes, start: number, end: number, target: Uint8Array): void {
  if (end - start < 6) bad("the literals of a block are cut off");
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const part = Math.ceil(target.length / 4);
  if (3 * part > target.length) bad("the literals of a block are too few for four streams");
  let at = start + 6;
  for (let stream = 0; stream < 4; stream++) {
    const next = stream === 3 ? end : at + view.getUint16(start + 2 * stream, true);
    if (next > end) bad("the literals of a block are cut off");
    decodeHuffman(table, block, at, next, target.subarray(stream * part, stream === 3 ? target.length : (stream + 1) * part));
    at = next;
  }
}
