/*
 * BLAKE3, plain hash mode, 32-byte digest, incremental.
 * See https://github.com/BLAKE3-team/BLAKE3-specs/blob/master/blake3.pdf.
 *
 * State, 2688 bytes, owned by the caller:
 *     byte     type            what
 *        0     u32[8]          chaining value of the current chunk
 *       32     u64             index of the current chunk
 *       40     u32             bytes waiting in the block
 *       44     u32             blocks of the current chunk compressed so far
 *       48     u32             subtrees on the stack
 *       64     u8[64]          the block that is being filled
 *      128     u32[54][8]      stack: chaining values of finished subtrees, largest first (2^54 chunks are all that there can be)
 *     1856     u8[64]          room for a parent block or a digest
 *     1920     u32[16][8]      chaining values of sixteen chunks, then of their parents
 *     2432     u32[8][8]       chaining values of eight parents
 */
import { CHUNK_END, CHUNK_START, IV, PARENT, ROOT, compressBlock } from "./blake3-block";
import { compressFour } from "./blake3-wide";

const COUNTER: usize = 32;
const WAITING: usize = 40;
const BLOCKS: usize = 44;
const DEPTH: usize = 48;
const BLOCK: usize = 64;
const STACK: usize = 128;
const ROOM: usize = 1856;
const VALUES: usize = 1920;
const PARENTS: usize = 2432;

/** Starts a hash in `state`. */
export function blake3Init(state: usize): void {
  store<u64>(state, 0, COUNTER);
  store<u32>(state, 0, DEPTH);
  startChunk(state);
}

function startChunk(state: usize): void {
  memory.copy(state, IV, 32);
  store<u32>(state, 0, WAITING);
  store<u32>(state, 0, BLOCKS);
}

/** Compresses the two chaining values at `pair` to the one of their parent, at `out`. */
@inline
function parent(pair: usize, flags: u32, out: usize): void {
  compressBlock(IV, pair, 0, 64, PARENT | flags, out);
}

/**
 * Puts a finished subtree of 2^level chunks, the one at the current index, on the stack, together with all the
 * parents that it completes. Only called when more input follows, so that none of them is the root.
 */
function push(state: usize, value: usize, level: u64): void {
  const counter = load<u64>(state, COUNTER);
  let depth = load<u32>(state, DEPTH);
  memory.copy(state + STACK + (depth << 5), value, 32);
  for (let position = counter >> level; position & 1; position >>= 1) {
    depth--;
    const pair = state + STACK + (depth << 5);
    parent(pair, 0, pair);
  }
  store<u32>(state, depth + 1, DEPTH);
  store<u64>(state, counter + (<u64>1 << level), COUNTER);
}

/** Four chunks to their four chaining values. */
@inline
function chunks(state: usize, pointer: usize, counter: u64, out: usize): void {
  compressFour(pointer, 1024, 16, counter, 1, 0, CHUNK_START, CHUNK_END, out);
}

/** Four pairs of chaining values to their parents. */
@inline
function parents(state: usize, pairs: usize, out: usize): void {
  compressFour(pairs, 64, 1, 0, 0, PARENT, 0, 0, out);
}

/** Four chaining values to the one of their common grandparent, at the same place. */
@inline
function grandparent(values: usize): void {
  parent(values, 0, values);
  parent(values + 64, 0, values + 32);
  parent(values, 0, values);
}

/** Adds bytes of the current chunk, of which there is room for them all. The block that may be its last is left waiting. */
function fillChunk(state: usize, pointer: usize, length: usize): void {
  const counter = load<u64>(state, COUNTER);
  let waiting = <usize>load<u32>(state, WAITING);
  let blocks = load<u32>(state, BLOCKS);
  const block = state + BLOCK;
  while (length > 0) {
    if (waiting == 64) {
      compressBlock(state, block, counter, 64, blocks++ == 0 ? CHUNK_START : 0, state);
      waiting = 0;
    }
    if (waiting == 0) {
      for (; length > 64; pointer += 64, length -= 64) {
        compressBlock(state, pointer, counter, 64, blocks++ == 0 ? CHUNK_START : 0, state);
      }
    }
    const room: usize = 64 - waiting;
    const part = length < room ? length : room;
    memory.copy(block + waiting, pointer, part);
    waiting += part;
    pointer += part;
    length -= part;
  }
  store<u32>(state, <u32>waiting, WAITING);
  store<u32>(state, blocks, BLOCKS);
}

/** Compresses the waiting block as the last of its chunk. */
function endChunk(state: usize, flags: u32, out: usize): void {
  const waiting = load<u32>(state, WAITING);
  const start = load<u32>(state, BLOCKS) == 0 ? CHUNK_START : 0;
  memory.fill(state + BLOCK + waiting, 0, 64 - waiting);
  compressBlock(state, state + BLOCK, load<u64>(state, COUNTER), waiting, start | CHUNK_END | flags, out);
}

/** Adds bytes to the hash in `state`. */
export function blake3Update(state: usize, pointer: usize, length: usize): void {
  while (length > 0) {
    const used = ((<usize>load<u32>(state, BLOCKS)) << 6) + <usize>load<u32>(state, WAITING);
    if (used == 1024) {
      endChunk(state, 0, state + ROOM);
      push(state, state + ROOM, 0);
      startChunk(state);
      continue;
    }
    if (used == 0) {
      const counter = load<u64>(state, COUNTER);
      const values = state + VALUES;
      if (length > 16384 && (counter & 15) == 0) {
        for (let i: usize = 0; i < 4; i++) chunks(state, pointer + (i << 12), counter + (i << 2), values + (i << 7));
        parents(state, values, state + PARENTS);
        parents(state, values + 256, state + PARENTS + 128);
        parents(state, state + PARENTS, values);
        grandparent(values);
        push(state, values, 4);
        pointer += 16384;
        length -= 16384;
        continue;
      }
      if (length > 4096 && (counter & 3) == 0) {
        chunks(state, pointer, counter, values);
        grandparent(values);
        push(state, values, 2);
        pointer += 4096;
        length -= 4096;
        continue;
      }
    }
    const room: usize = 1024 - used;
    const part = length < room ? length : room;
    fillChunk(state, pointer, part);
    pointer += part;
    length -= part;
  }
}

/** Writes the 32-byte digest of all bytes so far to `out`. */
export function blake3Digest(state: usize, out: usize): void {
  let depth = load<u32>(state, DEPTH);
  const room = state + ROOM;
  endChunk(state, depth == 0 ? ROOT : 0, depth == 0 ? out : room + 32);
  while (depth > 0) {
    depth--;
    memory.copy(room, state + STACK + (depth << 5), 32);
    parent(room, depth == 0 ? ROOT : 0, depth == 0 ? out : room + 32);
  }
}
