import type { Bytes } from "./byte-source.js";
import { bitsOf } from "./dtype.js";
import { CheckpointLoadError } from "./errors.js";
import type { SignalOptions } from "./progress.js";
import { contiguousStrides, reachOf } from "./shape.js";
import type { TensorHandle } from "./tensor.js";

/** A read that uses less of its bytes than this is split into smaller ones, as long as it is a large one. */
const WORTHWHILE_DENSITY = 1 / 32;
const LARGE_READ_BYTES = 64 * 1024;

/** A rectangular part of a strided view, and where its elements go. */
interface Box {
  /** Elements from the view's first element. */
  from: number;
  shape: number[];
  /** Elements between neighbours in the storage, per axis. */
  strides: readonly number[];
  /** Elements from the target's start. */
  to: number;
  /** Elements between neighbours in the target, per axis. */
  targetStrides: readonly number[];
}

/**
 * Fills `target` with the row-major form of a strided tensor from byte `start` on, reading the storage in pieces of at
 * most `budgetBytes`. Elements have whole bytes; `start` and `target.length` are multiples of an element.
 */
export async function gather(
  tensor: TensorHandle,
  target: Bytes,
  start: number,
  budgetBytes: number,
  options?: SignalOptions,
): Promise<void> {
  const itemBytes = bitsOf(tensor.spec) / 8;
  if (!Number.isInteger(itemBytes)) {
    throw new CheckpointLoadError(
      "UNSUPPORTED_DTYPE",
      `Tensor "${tensor.path}" is a strided view of ${tensor.dtype} elements, which are not whole bytes: it cannot be made contiguous.`,
      { details: { dtype: tensor.dtype, shape: tensor.shape, strides: tensor.strides } },
    );
  }
  const first = start / itemBytes;
  const boxes: Box[] = [];
  splitIntoBoxes(tensor.shape, tensor.strides, first, first + target.length / itemBytes, 0, 0, boxes);
  for (const box of boxes) {
    box.to -= first;
    await gatherBox(tensor, box, target, itemBytes, budgetBytes, options);
  }
}

/** Cuts the run [begin, end) of row-major element numbers into boxes: at most two for every axis, less one. */
function splitIntoBoxes(
  shape: readonly number[],
  strides: readonly number[],
  begin: number,
  end: number,
  from: number,
  to: number,
  boxes: Box[],
): void {
  const row = contiguousStrides(shape);
  const inner = row[0] ?? 1;
  const size = shape[0];
  if (size === undefined || (begin === 0 && end === size * inner)) {
    boxes.push({ from, shape: [...shape], strides, to, targetStrides: row });
    return;
  }
  const stride = strides[0] ?? 0;
  const firstRow = Math.floor(begin / inner);
  const endRow = Math.floor(end / inner);
  const enter = (index: number, low: number, high: number): void =>
    splitIntoBoxes(shape.slice(1), strides.slice(1), low, high, from + index * stride, to + index * inner, boxes);
  if (firstRow === endRow) {
    enter(firstRow, begin - firstRow * inner, end - firstRow * inner);
    return;
  }
  const whole = begin % inner === 0 ? firstRow : firstRow + 1;
  if (whole > firstRow) enter(firstRow, begin - firstRow * inner, inner);
  if (endRow > whole) {
    boxes.push({
      from: from + whole * stride,
      shape: [endRow - whole, ...shape.slice(1)],
      strides,
      to: to + whole * inner,
      targetStrides: row,
    });
  }
  if (end % inner !== 0) enter(endRow, 0, end - endRow * inner);
}

async function gatherBox(
  tensor: TensorHandle,
  box: Box,
  target: Bytes,
  itemBytes: number,
  budgetBytes: number,
  options?: SignalOptions,
): Promise<void> {
  options?.signal?.throwIfAborted();
  const reachBytes = reachOf(box.shape, box.strides) * itemBytes;
  const usedBytes = box.shape.reduce((product, size, axis) => (box.strides[axis] === 0 ? product : product * size), itemBytes);
  const sparse = reachBytes > LARGE_READ_BYTES && usedBytes / reachBytes < WORTHWHILE_DENSITY;
  const axis = reachBytes > budgetBytes || sparse ? widestAxis(box) : -1;
  if (axis < 0) {
    const bytes = new Uint8Array(reachBytes);
    await tensor.storage?.readInto(bytes, tensor.spec.byteOffset + box.from * itemBytes, options);
    copyElements(bytes, box, target, itemBytes);
    return;
  }
  const size = box.shape[axis] ?? 1;
  const half = Math.ceil(size / 2);
  const part = (low: number, high: number): Box => ({
    ...box,
    from: box.from + low * (box.strides[axis] ?? 0),
    to: box.to + low * (box.targetStrides[axis] ?? 0),
    shape: box.shape.map((other, at) => (at === axis ? high - low : other)),
  });
  await gatherBox(tensor, part(0, half), target, itemBytes, budgetBytes, options);
  await gatherBox(tensor, part(half, size), target, itemBytes, budgetBytes, options);
}

/** The axis whose walk reaches furthest in the storage; -1 when the box is a single element there. */
function widestAxis(box: Box): number {
  let widest = -1;
  let best = 0;
  for (let axis = 0; axis < box.shape.length; axis++) {
    const reach = ((box.shape[axis] ?? 1) - 1) * (box.strides[axis] ?? 0);
    if (reach > best) {
      best = reach;
      widest = axis;
    }
  }
  return widest;
}

/** Elements are copied in words of up to four bytes, where both sides are aligned for them. */
type Words = Uint8Array | Int16Array | Int32Array;

function wordsOf(bytes: Bytes, wordBytes: number): Words {
  const { buffer, byteOffset, length } = bytes;
  if (wordBytes === 4) return new Int32Array(buffer, byteOffset, length / 4);
  return wordBytes === 2 ? new Int16Array(buffer, byteOffset, length / 2) : bytes;
}

/** Copies the elements of a box from `bytes`, which begin at its first element, to their places in `target`. */
function copyElements(bytes: Bytes, box: Box, target: Bytes, itemBytes: number): void {
  const wordBytes = [4, 2].find((size) => itemBytes % size === 0 && target.byteOffset % size === 0) ?? 1;
  const source = wordsOf(bytes, wordBytes);
  const result = wordsOf(target, wordBytes);
  const itemWords = itemBytes / wordBytes;
  const axes = box.shape.length;
  const last = axes - 1;
  const runLength = axes === 0 ? 1 : (box.shape[last] ?? 1);
  const step = axes === 0 ? 0 : (box.strides[last] ?? 0) * itemWords;
  const index = new Array<number>(Math.max(0, last)).fill(0);
  for (;;) {
    let from = 0;
    let to = box.to;
    for (let axis = 0; axis < last; axis++) {
      from += (index[axis] ?? 0) * (box.strides[axis] ?? 0);
      to += (index[axis] ?? 0) * (box.targetStrides[axis] ?? 0);
    }
    copyRun(source, from * itemWords, step, result, to * itemWords, runLength, itemWords);
    let axis = last - 1;
    while (axis >= 0) {
      const next = (index[axis] ?? 0) + 1;
      index[axis] = next;
      if (next < (box.shape[axis] ?? 1)) break;
      index[axis--] = 0;
    }
    if (axis < 0) return;
  }
}

/** Copies `count` elements that lie `step` words apart to a row without gaps. */
function copyRun(source: Words, from: number, step: number, target: Words, to: number, count: number, itemWords: number): void {
  if (step === itemWords) {
    target.set(source.subarray(from, from + count * itemWords), to);
    return;
  }
  if (itemWords === 1) {
    for (let element = 0; element < count; element++, from += step) target[to + element] = source[from] ?? 0;
    return;
  }
  for (let element = 0; element < count; element++, from += step, to += itemWords) {
    for (let word = 0; word < itemWords; word++) target[to + word] = source[from + word] ?? 0;
  }
}
