/*
 * Incremental scans. The byte map of a scan's state is in scan-state.ts; the histogram's is below.
 */
import { BLOCK_BYTES, BUFFER, F16, F32, BF16, F64, HEADER, I64, KIND, MAX, MIN, NODE, U64, WAITING, finish, push } from "./scan-state";
import { scanSlowly } from "./scan-block";
import { scanDoubles, scanFloats } from "./scan-float";
import { scanInts, scanLongs } from "./scan-int";

/**
 * Starts a scan in `state`. Kinds: 0 F64, 1 F32 (and C64), 2 F16, 3 BF16, 4 I64, 5 U64, 6 I32, 7 U32, 8 I16, 9 U16.
 */
export function scanInit(state: usize, kind: u32): void {
  memory.fill(state, 0, HEADER);
  store<u32>(state, kind, KIND);
  if (kind == I64) {
    store<i64>(state, i64.MAX_VALUE, MIN);
    store<i64>(state, i64.MIN_VALUE, MAX);
  } else if (kind == U64) {
    store<u64>(state, u64.MAX_VALUE, MIN);
  } else {
    store<f64>(state, Infinity, MIN);
    store<f64>(state, -Infinity, MAX);
  }
}

function part(state: usize, pointer: usize, length: usize): void {
  const kind = load<u32>(state, KIND);
  if (kind == I64 || kind == U64) scanLongs(kind, state, pointer, length);
  else scanSlowly(kind, state, pointer, length);
}

function block(state: usize, pointer: usize): void {
  const kind = load<u32>(state, KIND);
  if (kind == F32 || kind == BF16 || kind == F16) {
    if (!scanFloats(kind, state, pointer)) scanSlowly(kind, state, pointer, BLOCK_BYTES);
  } else if (kind == F64) {
    if (!scanDoubles(state, pointer)) scanSlowly(kind, state, pointer, BLOCK_BYTES);
  } else if (kind == I64 || kind == U64) {
    scanLongs(kind, state, pointer, BLOCK_BYTES);
  } else {
    scanInts(kind, state, pointer);
  }
  push(state);
}

/** Adds whole elements to the scan in `state`. */
export function scanUpdate(state: usize, pointer: usize, length: usize): void {
  const waiting = <usize>load<u32>(state, WAITING);
  if (waiting > 0) {
    const room: usize = BLOCK_BYTES - waiting;
    const some = length < room ? length : room;
    memory.copy(state + BUFFER + waiting, pointer, some);
    if (some < room) {
      store<u32>(state, <u32>(waiting + some), WAITING);
      return;
    }
    block(state, state + BUFFER);
    pointer += some;
    length -= some;
  }
  for (; length >= BLOCK_BYTES; pointer += BLOCK_BYTES, length -= BLOCK_BYTES) block(state, pointer);
  memory.copy(state + BUFFER, pointer, length);
  store<u32>(state, <u32>length, WAITING);
}

/** Makes the result of everything so far; returns where it is: laid out as a state is. */
export function scanResult(state: usize): usize {
  const result = state + HEADER;
  memory.copy(result, state, HEADER);
  memory.fill(result + NODE, 0, 40);
  const waiting = <usize>load<u32>(state, WAITING);
  if (waiting > 0) part(result, state + BUFFER, waiting);
  finish(result);
  return result;
}

/**
 * Counts bytes by value: all that a scan of one-byte elements has to know.
 *
 * State, 8192 bytes, zeroed and owned by the caller: u64[4][256]. Byte i of the input goes to table i mod 4, since adding to
 * the same counter twice in a row is slow; the tables are to be added up.
 */
export function countBytes(tables: usize, pointer: usize, length: usize): void {
  const end = pointer + length;
  for (; pointer + 8 <= end; pointer += 8) {
    const bytes = load<u64>(pointer);
    bump(tables + ((<usize>bytes & 255) << 3), 0);
    bump(tables + ((<usize>(bytes >> 8) & 255) << 3), 2048);
    bump(tables + ((<usize>(bytes >> 16) & 255) << 3), 4096);
    bump(tables + ((<usize>(bytes >> 24) & 255) << 3), 6144);
    bump(tables + ((<usize>(bytes >> 32) & 255) << 3), 0);
    bump(tables + ((<usize>(bytes >> 40) & 255) << 3), 2048);
    bump(tables + ((<usize>(bytes >> 48) & 255) << 3), 4096);
    bump(tables + ((<usize>(bytes >> 56) & 255) << 3), 6144);
  }
  for (; pointer < end; pointer++) bump(tables + (<usize>load<u8>(pointer) << 3), 0);
}

@inline
function bump(counter: usize, offset: usize): void {
  store<u64>(counter + offset, load<u64>(counter + offset) + 1);
}
