import { contiguousStrides, DTYPES, type DType, memorySource, type OutputTensor, Storage, type TensorSpec } from "@ckptkit/core";
import fc from "fast-check";

/** A tensor to be written, and its bytes. */
export interface Sample {
  name: string;
  dtype: DType;
  shape: number[];
  bytes: Uint8Array;
}

/** A sample as a writer takes it. Its bytes come in pieces of whole elements. */
export function output({ name, dtype, shape, bytes }: Sample, tieKey = name): OutputTensor {
  return {
    name,
    dtype,
    shape,
    byteLength: bytes.length,
    tieKey,
    async *chunks(buffer) {
      const unit = Math.max(1, DTYPES[dtype].bits / 8);
      const step = Math.max(unit, Math.floor(buffer.length / unit) * unit);
      for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step);
    },
  };
}

/** A sample as a part of a tree. */
export function specOf({ name, dtype, shape, bytes }: Sample): TensorSpec {
  const storage = new Storage({ id: name, bytes: memorySource(bytes, name) });
  return { dtype, shape, strides: contiguousStrides(shape), storage, byteOffset: 0 };
}

/** Bytes of a tensor of this dtype and shape. */
const bytesFor = (dtype: DType, shape: readonly number[]): number =>
  (shape.reduce((product, size) => product * size, 1) * DTYPES[dtype].bits) / 8;

/** Samples of these dtypes, with names of any kind, no two the same. */
export function samples(dtypes: readonly DType[]): fc.Arbitrary<Sample[]> {
  const sample = fc
    .record({
      name: fc.oneof(
        fc.string({ maxLength: 30 }),
        fc.string({ unit: "grapheme", maxLength: 12 }),
        fc.constantFrom("__proto__", "a.b", "constructor", ""),
      ),
      dtype: fc.constantFrom(...dtypes),
      shape: fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 4 }),
    })
    .chain(({ name, dtype, shape }) => {
      // Sub-byte elements come in eights here: they fill whole bytes.
      const whole = DTYPES[dtype].bits < 8 ? [...shape, 8] : shape;
      const length = bytesFor(dtype, whole);
      return fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => ({ name, dtype, shape: whole, bytes }));
    })
    .filter(({ name }) => name.isWellFormed() && name !== "__metadata__");
  return fc.uniqueArray(sample, { selector: ({ name }) => name, maxLength: 12 });
}
