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
      `Tensor "${tensor.path}" is a strided view of ${tensor.dtype} elements, which are no whole bytes.`,
      { details: { dtype: tensor.dtype, shape: tensor.shape, strides: tensor.strides } },
    );
  }
  const first = start / itemBytes;
  const boxes: Box[] = [];
  splitIntoBoxes(tensor.shape, tensor.strides, first, first + target.length / itemBytes, 0, -first, boxes);
  for (const box of boxes) await gatherBox(tensor, box, target, itemBytes, budgetBytes, options);
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
  const targetStrides = contiguousStrides(shape);
  const [inner = 1] = targetStrides;
  const [stride = 0] = strides;
  const enter = (index: number, low: number, high: number): void =>
    splitIntoBoxes(
      shape.slice(1),
      strides.slice(1),
      low - index * inner,
      high - index * inner,
      from + index * stride,
      to + index * inner,
      boxes,
    );
  const first = Math.ceil(begin / inner);
  const last = Math.floor(end / inner);
  if (first > last) {
    enter(last, begin, end);
    return;
  }
  if (begin < first * inner) enter(first - 1, begin, first * inner);
  const whole = shape.length === 0 ? [] : [last - first, ...shape.slice(1)];
  if (last > first) boxes.push({ from: from + first * stride, shape: whole, strides, to: to + first * inner, targetStrides });
  if (end > last * inner) enter(last, last * inner, end);
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
function widestAxis({ shape, strides }: Box): number {
  const reaches = shape.map((size, axis) => (size - 1) * (strides[axis] ?? 0));
  const best = Math.max(...reaches);
  return best > 0 ? reaches.indexOf(best) : -1;
}

/** Elements are copied in words of up to four bytes, where both sides are aligned for them. */
type Words = Uint8Array | Int16Array | Int32Array;

function wordsOf(bytes: Bytes, wordBytes: number): Words {
  const { buffer, byteOffset, length } = bytes;
  if (wordBytes === 4) return new Int32Array(buffer, byteOffset, length / 4);
  return wordBytes === 2 ? new Int16Array(buffer, byteOffset, length / 2) : bytes;
}

/** Copies the elements of a box from `bytes`, which begin at its first element, to their places in `target`. */
function copyElements(bytes: Bytes, { shape, strides, to, targetStrides }: Box, target: Bytes, itemBytes: number): void {
  const wordBytes = [4, 2].find((size) => itemBytes % size === 0 && target.byteOffset % size === 0) ?? 1;
  const source = wordsOf(bytes, wordBytes);
  const result = wordsOf(target, wordBytes);
  const itemWords = itemBytes / wordBytes;
  const last = shape.length - 1;
  const copy = (axis: number, fromWord: number, toWord: number): void => {
    const step = (strides[axis] ?? 0) * itemWords;
    const size = shape[axis] ?? 1;
    if (axis >= last) {
      copyRun(source, fromWord, step, result, toWord, size, itemWords);
      return;
    }
    const targetStep = (targetStrides[axis] ?? 0) * itemWords;
    for (let index = 0; index < size; index++) copy(axis + 1, fromWord + index * step, toWord + index * targetStep);
  };
  copy(0, 0, to * itemWords);
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
