import fc from "fast-check";
import { memorySource, Storage, TensorHandle, type TensorSpec } from "../src/index.js";

/** A storage over bytes in memory. */
export const storageOf = (bytes: Uint8Array, init: { bigEndian?: boolean; crc32?: number } = {}): Storage =>
  new Storage({ id: "storage", bytes: memorySource(bytes), ...init });

/** A tensor of the given description, named `t`. */
export const tensorOf = (spec: TensorSpec): TensorHandle => new TensorHandle(spec, { keys: ["t"], name: "t", group: "model" });

/** A strided view and the elements that it needs. */
export interface View {
  shape: number[];
  strides: number[];
  /** Elements before the first one. */
  offset: number;
  itemBytes: number;
}

/** Up to four axes of up to six elements; strides of 0 (expand), gaps, transposed and overlapping views. */
export const views: fc.Arbitrary<View> = fc
  .array(
    fc.tuple(fc.integer({ min: 1, max: 6 }), fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 60 }))),
    { maxLength: 4 },
  )
  .chain((axes) =>
    fc.record({
      shape: fc.constant(axes.map(([size]) => size)),
      strides: fc.constant(axes.map(([, stride]) => stride)),
      offset: fc.nat(5),
      itemBytes: fc.constantFrom(1, 2, 4, 8, 16),
    }),
  );

/** Elements that the storage of a view must have, counted one by one. */
export function elementsNeeded({ shape, strides, offset }: View): number {
  return 1 + offset + shape.reduce((last, size, axis) => last + (size - 1) * (strides[axis] ?? 0), 0);
}

/** The row-major form of a view, one element after the other: slow and obvious. */
export function naiveGather(bytes: Uint8Array, { shape, strides, offset, itemBytes }: View): Uint8Array {
  const count = shape.reduce((product, size) => product * size, 1);
  const result = new Uint8Array(count * itemBytes);
  for (let element = 0; element < count; element++) {
    let rest = element;
    let at = offset;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const size = shape[axis] ?? 1;
      at += (rest % size) * (strides[axis] ?? 0);
      rest = Math.floor(rest / size);
    }
    for (let byte = 0; byte < itemBytes; byte++) result[element * itemBytes + byte] = bytes[at * itemBytes + byte] ?? 0;
  }
  return result;
}

/** A dtype for each size of element, without sign or byte order at stake. */
export const DTYPE_OF_SIZE: Record<number, string> = { 1: "U8", 2: "U16", 4: "U32", 8: "U64", 16: "C128" };
