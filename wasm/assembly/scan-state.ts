/*
 * The state of a scan of elements wider than one byte, and the tree of what its blocks found.
 *
 * State, 12416 bytes, 64-byte aligned, owned by the caller:
 *     byte     type          what
 *        0     f64           smallest finite number so far (i64 or u64 for 64-bit integers)
 *        8     f64           largest finite number so far (i64 or u64 for 64-bit integers)
 *       16     f64           NaNs
 *       24     f64           positive infinities
 *       32     f64           negative infinities
 *       40     f64           zeros
 *       48     f64           numbers, special ones included
 *       56     f64           result only: finite numbers
 *       64     f64           result only: mean of the finite numbers
 *       72     f64           result only: their population standard deviation
 *       80     u32           kind of element, see scan.ts
 *       84     u32           bytes waiting in the block
 *       88     u64           whole blocks seen
 *      128     node[44]      the nodes of the tree that wait for a right neighbour, by level (40 bytes each)
 *     1888     node          the node of the block that was seen last
 *     1936     f64[8]        sums by lane (slow path)
 *     2000     f64[8]        sums of squares by lane (slow path)
 *     2112     u8[2112]      a copy of all of the above: a result is made there and leaves the scan as it was
 *     4224     u8[8192]      block that is being filled
 *
 * Node, 40 bytes: n finite numbers x, seen relative to one of them
 *        0     f64           k: the first of them, times the unit (i64 or u64 for 64-bit integers)
 *        8     f64           mean of x * unit - k
 *       16     f64           sum of squared deviations of x * unit from the mean
 *       24     f64           n
 *       32     i32           -1, 0 or 1: the unit is 2^600, 1 or 2^-540, so that no square overflows or vanishes
 *
 * A block is 8192 bytes of the element stream, counted from its start however it was cut into updates. Element i of a block goes to lane i mod 8.
 * Blocks are merged two and two, as the digits of a binary counter: the result depends on the elements alone, its error grows with the
 * logarithm of their number, and a part that starts at a multiple of 2^k blocks could be scanned elsewhere and put in its place.
 */

export const MIN: usize = 0;
export const MAX: usize = 8;
export const NAN: usize = 16;
export const POSITIVE: usize = 24;
export const NEGATIVE: usize = 32;
export const ZEROS: usize = 40;
export const COUNT: usize = 48;
export const FINITE: usize = 56;
export const MEAN: usize = 64;
export const STD: usize = 72;
export const KIND: usize = 80;
export const WAITING: usize = 84;
export const BLOCKS: usize = 88;
export const STACK: usize = 128;
export const NODE: usize = 1888;
export const SUMS: usize = 1936;
export const SQUARES: usize = 2000;
export const HEADER: usize = 2112;
export const BUFFER: usize = 4224;
export const BLOCK_BYTES: usize = 8192;
const NODE_BYTES: usize = 40;

export const F64: u32 = 0;
export const F32: u32 = 1;
export const F16: u32 = 2;
export const BF16: u32 = 3;
export const I64: u32 = 4;
export const U64: u32 = 5;
export const I32: u32 = 6;
export const U32: u32 = 7;
export const I16: u32 = 8;
export const U16: u32 = 9;

/** What numbers of a unit class are multiplied with. */
export function unit(scale: i32): f64 {
  return scale == 0 ? 1 : scale > 0 ? reinterpret<f64>(<u64>(1023 - 540) << 52) : reinterpret<f64>(<u64>(1023 + 600) << 52);
}

/** What gives back numbers of a unit class. */
function inverseUnit(scale: i32): f64 {
  return scale == 0 ? 1 : scale > 0 ? reinterpret<f64>(<u64>(1023 + 540) << 52) : reinterpret<f64>(<u64>(1023 - 600) << 52);
}

@inline
export function count(state: usize, offset: usize, more: f64): void {
  store<f64>(state + offset, load<f64>(state + offset) + more);
}

/** Makes the node of a block of n numbers from the sums of x * unit - k and of its squares. */
export function makeNode(state: usize, n: f64, sum: f64, square: f64, scale: i32): void {
  const mean = n > 0 ? sum / n : 0;
  const rest = square - sum * mean;
  store<f64>(state + NODE, mean, 8);
  store<f64>(state + NODE, rest > 0 ? rest : 0, 16);
  store<f64>(state + NODE, n, 24);
  store<i32>(state + NODE, scale, 32);
}

/** Expresses a node of floats in a larger unit class. */
function rescale(node: usize, scale: i32): void {
  const factor = inverseUnit(load<i32>(node, 32)) * unit(scale);
  store<f64>(node, load<f64>(node) * factor);
  store<f64>(node, load<f64>(node, 8) * factor, 8);
  store<f64>(node, load<f64>(node, 16) * factor * factor, 16);
  store<i32>(node, scale, 32);
}

/** k of the right node less k of the left one, for 64-bit integers without overflow. */
function distance(kind: u32, left: usize, right: usize): f64 {
  if (kind != I64 && kind != U64) return load<f64>(right) - load<f64>(left);
  const a = load<u64>(left);
  const b = load<u64>(right);
  const forward = kind == I64 ? <i64>b >= <i64>a : b >= a;
  return forward ? <f64>(b - a) : -<f64>(a - b);
}

/** Merges the right node into its left neighbour (T. F. Chan, G. H. Golub, R. J. LeVeque, 1979). */
function merge(kind: u32, left: usize, right: usize): void {
  const nRight = load<f64>(right, 24);
  if (nRight == 0) return;
  const nLeft = load<f64>(left, 24);
  if (nLeft == 0) {
    memory.copy(left, right, NODE_BYTES);
    return;
  }
  if (load<i32>(left, 32) < load<i32>(right, 32)) rescale(left, load<i32>(right, 32));
  if (load<i32>(right, 32) < load<i32>(left, 32)) rescale(right, load<i32>(left, 32));
  const n = nLeft + nRight;
  const delta = distance(kind, left, right) + (load<f64>(right, 8) - load<f64>(left, 8));
  store<f64>(left, load<f64>(left, 16) + load<f64>(right, 16) + delta * delta * ((nLeft * nRight) / n), 16);
  store<f64>(left, load<f64>(left, 8) + delta * (nRight / n), 8);
  store<f64>(left, n, 24);
}

/** Puts the node of a whole block into the tree. */
export function push(state: usize): void {
  const kind = load<u32>(state, KIND);
  const blocks = load<u64>(state, BLOCKS);
  let node = state + NODE;
  let place = state + STACK;
  for (let digits = blocks; digits & 1; digits >>= 1) {
    merge(kind, place, node);
    node = place;
    place += NODE_BYTES;
  }
  memory.copy(place, node, NODE_BYTES);
  store<u64>(state, blocks + 1, BLOCKS);
}

/** Merges what waits in the tree with the node of the last block, and writes mean and deviation. */
export function finish(state: usize): void {
  const kind = load<u32>(state, KIND);
  let node = state + NODE;
  let place = state + STACK;
  for (let digits = load<u64>(state, BLOCKS); digits != 0; digits >>= 1) {
    if (digits & 1) {
      merge(kind, place, node);
      node = place;
    }
    place += NODE_BYTES;
  }
  const n = load<f64>(node, 24);
  const back = inverseUnit(load<i32>(node, 32));
  const k: f64 = kind == I64 ? <f64>load<i64>(node) : kind == U64 ? <f64>load<u64>(node) : load<f64>(node);
  store<f64>(state, n, FINITE);
  store<f64>(state, (k + load<f64>(node, 8)) * back, MEAN);
  store<f64>(state, n > 0 ? Math.sqrt(load<f64>(node, 16) / n) * back : 0, STD);
}
