/*
 * Where the first NaN or infinity stands, and nothing else. All bits of the exponent are set in both, so the largest exponent of
 * many numbers tells of all of them: three instructions for 16 bytes, and no branch on a value.
 */
import { BF16, F16, F32, F64 } from "./scan-state";

/** Kinds beside those of a scan's state: floats of one byte. */
const F8_E4M3: u32 = 10;

/** Bytes between two looks at what was found: enough for the looks to cost nothing, few enough to search again. */
const STRIDE: usize = 2048;

/** The bits that are all set in NaN and infinities. F8_E4M3 has no infinities: its NaNs have all seven bits set. */
@inline
function exponents(kind: u32): v128 {
  if (kind == F64) return i64x2.splat(0x7ff0000000000000);
  if (kind == F32) return i32x4.splat(0x7f800000);
  if (kind == F16) return i16x8.splat(0x7c00);
  if (kind == BF16) return i16x8.splat(0x7f80);
  return kind == F8_E4M3 ? i8x16.splat(0x7f) : i8x16.splat(0x7c);
}

/** The larger exponents, number by number. Those of float64 lie in the upper halves; the lower ones are zero. */
@inline
function more(kind: u32, a: v128, b: v128): v128 {
  if (kind == F64 || kind == F32) return i32x4.max_s(a, b);
  return kind == F16 || kind == BF16 ? i16x8.max_s(a, b) : i8x16.max_u(a, b);
}

@inline
function anyIs(kind: u32, largest: v128, mask: v128): bool {
  if (kind == F64) return v128.any_true(i64x2.eq(largest, mask));
  if (kind == F32) return v128.any_true(i32x4.eq(largest, mask));
  return v128.any_true(kind == F16 || kind == BF16 ? i16x8.eq(largest, mask) : i8x16.eq(largest, mask));
}

/** The offset of the first stride, or part of one, that is not finite; `length`, a multiple of 64, when all are. */
@inline
function search(kind: u32, pointer: usize, length: usize): usize {
  const mask = exponents(kind);
  const end = pointer + length;
  for (let at = pointer; at < end; ) {
    const start = at;
    const stop = end - at < STRIDE ? end : at + STRIDE;
    let a = i32x4.splat(0);
    let b = a;
    let c = a;
    let d = a;
    for (; at < stop; at += 64) {
      a = more(kind, a, v128.and(v128.load(at), mask));
      b = more(kind, b, v128.and(v128.load(at, 16), mask));
      c = more(kind, c, v128.and(v128.load(at, 32), mask));
      d = more(kind, d, v128.and(v128.load(at, 48), mask));
    }
    if (anyIs(kind, more(kind, more(kind, a, b), more(kind, c, d)), mask)) return start - pointer;
  }
  return length;
}

/** Whether the number at `pointer` is NaN or infinite. */
function isSpecial(kind: u32, pointer: usize): bool {
  if (kind == F64) return (load<u64>(pointer) & 0x7ff0000000000000) == 0x7ff0000000000000;
  if (kind == F32) return (load<u32>(pointer) & 0x7f800000) == 0x7f800000;
  if (kind == F16) return (load<u16>(pointer) & 0x7c00) == 0x7c00;
  if (kind == BF16) return (load<u16>(pointer) & 0x7f80) == 0x7f80;
  const mask: u32 = kind == F8_E4M3 ? 0x7f : 0x7c;
  return (load<u8>(pointer) & mask) == mask;
}

/**
 * Bytes from `pointer` to the first number that is NaN or infinite; `length`, that of whole numbers, when none is. Kinds: 0 F64, 1 F32 (and
 * C64), 2 F16, 3 BF16, 10 F8_E4M3, 11 F8_E5M2.
 */
export function finiteLength(kind: u32, pointer: usize, length: usize): usize {
  const bulk = length & ~63;
  let at =
    kind == F64
      ? search(F64, pointer, bulk)
      : kind == F32
        ? search(F32, pointer, bulk)
        : kind == F16
          ? search(F16, pointer, bulk)
          : kind == BF16
            ? search(BF16, pointer, bulk)
            : kind == F8_E4M3
              ? search(F8_E4M3, pointer, bulk)
              : search(11, pointer, bulk);
  const step: usize = kind == F64 ? 8 : kind == F32 ? 4 : kind == F16 || kind == BF16 ? 2 : 1;
  while (at < length && !isSpecial(kind, pointer + at)) at += step;
  return at;
}
