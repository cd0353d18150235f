/*
 * XXH3 with 64 and 128 bits, seed 0, incremental.
 *
 * State, 512 bytes, owned by the caller:
 *     byte     type       what
 *        0     u64[8]     lanes
 *       64     u64        bytes hashed so far
 *       72     u32        stripes taken in the current block of sixteen
 *       76     u32        bytes waiting in the buffer
 *      128     u8[256]    buffer. Once it has been emptied, its last 64 bytes are the last 64 bytes taken: a digest needs them
 *      384     u64[8]     room for a copy of the lanes: a digest is made there and leaves the hash as it was
 *      448     u8[64]     room for the last stripe of a digest
 */
import { P64_1, P64_2, SECRET } from "./xxh3-mix";
import { consume, consumeLast, initLanes, merge } from "./xxh3-long";
import { short128, short64 } from "./xxh3-short";

const TOTAL: usize = 64;
const DONE: usize = 72;
const WAITING: usize = 76;
const BUFFER: usize = 128;
const BUFFER_BYTES: usize = 256;
const COPY: usize = 384;
const LAST: usize = 448;
/** Above this many bytes XXH3 works with stripes (XXH3_MIDSIZE_MAX). */
const SHORT_MAX: u64 = 240;

/** Starts a hash in `state`. */
export function xxh3Init(state: usize): void {
  initLanes(state);
  store<u64>(state, 0, TOTAL);
  store<u32>(state, 0, DONE);
  store<u32>(state, 0, WAITING);
}

/** Adds bytes to the hash in `state`. */
export function xxh3Update(state: usize, pointer: usize, length: usize): void {
  store<u64>(state, load<u64>(state, TOTAL) + length, TOTAL);
  const waiting = <usize>load<u32>(state, WAITING);
  const buffer = state + BUFFER;
  const room = BUFFER_BYTES - waiting;
  // A full buffer waits for one more byte: the last stripe of the input is not taken like the others.
  if (length <= room) {
    memory.copy(buffer + waiting, pointer, length);
    store<u32>(state, <u32>(waiting + length), WAITING);
    return;
  }
  let done = load<u32>(state, DONE);
  if (waiting > 0) {
    memory.copy(buffer + waiting, pointer, room);
    done = consume(state, done, buffer, BUFFER_BYTES >> 6);
    pointer += room;
    length -= room;
  }
  if (length > BUFFER_BYTES) {
    const stripes = (length - 1) >> 6;
    done = consume(state, done, pointer, stripes);
    pointer += stripes << 6;
    length -= stripes << 6;
    memory.copy(buffer + BUFFER_BYTES - 64, pointer - 64, 64);
  }
  memory.copy(buffer, pointer, length);
  store<u32>(state, <u32>length, WAITING);
  store<u32>(state, done, DONE);
}

/** Makes the lanes of a long input's digest in the state's copy. */
function finish(state: usize): usize {
  const lanes = state + COPY;
  const buffer = state + BUFFER;
  const waiting = <usize>load<u32>(state, WAITING);
  memory.copy(lanes, state, 64);
  if (waiting >= 64) {
    consume(lanes, load<u32>(state, DONE), buffer, (waiting - 1) >> 6);
    consumeLast(lanes, buffer + waiting - 64);
  } else {
    const last = state + LAST;
    memory.copy(last, buffer + BUFFER_BYTES - (64 - waiting), 64 - waiting);
    memory.copy(last + 64 - waiting, buffer, waiting);
    consumeLast(lanes, last);
  }
  return lanes;
}

/** Writes the 8-byte digest of all bytes so far to `out`, big-endian as XXH's canonical form is. */
export function xxh3Digest64(state: usize, out: usize): void {
  const total = load<u64>(state, TOTAL);
  const hash =
    total <= SHORT_MAX ? short64(state + BUFFER, <usize>total) : merge(finish(state), SECRET + 11, total * P64_1);
  store<u64>(out, bswap<u64>(hash));
}

/** Writes the 16-byte digest of all bytes so far to `out`, big-endian as XXH's canonical form is. */
export function xxh3Digest128(state: usize, out: usize): void {
  const total = load<u64>(state, TOTAL);
  if (total <= SHORT_MAX) {
    short128(state + BUFFER, <usize>total, out);
  } else {
    const lanes = finish(state);
    store<u64>(out, merge(lanes, SECRET + 11, total * P64_1));
    store<u64>(out, merge(lanes, SECRET + 192 - 64 - 11, ~(total * P64_2)), 8);
  }
  const low = load<u64>(out);
  store<u64>(out, bswap<u64>(load<u64>(out, 8)));
  store<u64>(out, bswap<u64>(low), 8);
}
