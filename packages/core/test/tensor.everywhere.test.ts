import { codeOf, expectSameBytes, patternBytes } from "@ckptkit/testkit";
import { describe, expect, it } from "vitest";
import { type Bytes, countSource, memorySource, Storage, type TensorSpec } from "../src/index.js";
import { storageOf, tensorOf } from "./strided.js";

/** The bytes of numbers, in this machine's order, which WebAssembly fixes to little-endian in all browsers and Nodes. */
const bytesOf = (numbers: { buffer: ArrayBufferLike }): Uint8Array => new Uint8Array(numbers.buffer);
const reversed = (bytes: Uint8Array, size: number): Uint8Array => {
  const result = bytes.slice();
  for (let at = 0; at < result.length; at += size) result.subarray(at, at + size).reverse();
  return result;
};
const spec = (dtype: string, shape: number[], bytes: Uint8Array, more: Partial<TensorSpec> & { bigEndian?: boolean } = {}): TensorSpec => ({
  dtype,
  shape,
  byteOffset: 0,
  storage: storageOf(bytes, { bigEndian: more.bigEndian ?? false }),
  ...more,
});
async function chunksOf(tensor: { chunks(buffer: Bytes): AsyncGenerator<Bytes> }, size: number): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  for await (const piece of tensor.chunks(new Uint8Array(size))) pieces.push(piece.slice());
  return pieces;
}

describe("TensorHandle: description", () => {
  it("tells its place, dtype, shape and size without reading", () => {
    const source = countSource(memorySource(new Uint8Array(48)));
    const tensor = tensorOf({ dtype: "F32", shape: [3, 4], byteOffset: 0, storage: new Storage({ id: "0", bytes: source }) });
    expect(tensor).toMatchObject({
      path: "t",
      dtype: "F32",
      shape: [3, 4],
      strides: [4, 1],
      elementCount: 12,
      byteLength: 48,
      contiguous: true,
    });
    expect(source.counts.reads).toBe(0);
  });

  it("rounds packed elements up to whole bytes", () => {
    expect(tensorOf(spec("F4", [3], new Uint8Array(2))).byteLength).toBe(2);
    expect(tensorOf(spec("F6_E2M3", [4], new Uint8Array(3))).byteLength).toBe(3);
  });

  it("takes another format's dtype with its own number of bits", async () => {
    const bytes = patternBytes(144);
    const tensor = tensorOf({ ...spec("Q4_K", [256], bytes), bits: 4.5 });
    expect(tensor.byteLength).toBe(144);
    expectSameBytes(await tensor.read(), bytes);
  });
});

describe("TensorHandle: bounds", () => {
  it.each<[string, Partial<TensorSpec>]>([
    ["more elements than the storage holds", { shape: [13] }],
    ["an offset that moves the end out", { byteOffset: 4 }],
    ["strides that reach out", { shape: [2, 3], strides: [10, 1] }],
    ["a negative offset", { byteOffset: -4 }],
    ["a fractional offset", { byteOffset: 0.5 }],
    ["a negative size", { shape: [-1] }],
    ["a negative stride", { shape: [2], strides: [-1] }],
    ["too few strides", { shape: [2, 2], strides: [1] }],
    ["too many strides", { shape: [2], strides: [1, 1] }],
    ["a size over 2^53", { shape: [2 ** 40, 2 ** 40] }],
    ["a number of bits over 2^53", { shape: [2 ** 50], strides: [1] }],
    ["an offset over 2^53", { byteOffset: 2 ** 60 }],
  ])("refuses %s", (_, change) => {
    expect(() => tensorOf({ ...spec("F32", [12], new Uint8Array(48)), ...change })).toThrow(
      expect.objectContaining({ code: "TENSOR_OUT_OF_BOUNDS" }),
    );
  });

  it("accepts a view that ends exactly at the storage's end", async () => {
    const bytes = patternBytes(48);
    const tensor = tensorOf(spec("F32", [2, 2], bytes, { strides: [7, 1], byteOffset: 12 }));
    expectSameBytes(await tensor.read(), new Uint8Array([...bytes.slice(12, 20), ...bytes.slice(40, 48)]));
  });

  it("accepts an empty view anywhere", async () => {
    expect(await tensorOf(spec("F32", [0, 5], new Uint8Array(0), { byteOffset: 100 })).read()).toEqual(new Uint8Array(0));
  });

  it("refuses to read beyond the tensor, and to cut through an element", async () => {
    const tensor = tensorOf(spec("F32", [4], new Uint8Array(100)));
    expect(await codeOf(tensor.readInto(new Uint8Array(4), 16))).toBe("OUT_OF_RANGE");
    expect(await codeOf(tensor.readInto(new Uint8Array(20)))).toBe("OUT_OF_RANGE");
    expect(await codeOf(tensor.readInto(new Uint8Array(4), -4))).toBe("OUT_OF_RANGE");
    expect(await codeOf(tensor.readInto(new Uint8Array(4), 2))).toBe("INVALID_ARGUMENT");
    expect(await codeOf(tensor.readInto(new Uint8Array(5), 4))).toBe("INVALID_ARGUMENT");
  });

  it("says NO_TENSORS for a tensor without bytes, without allocating what it declares", async () => {
    const tensor = tensorOf({ dtype: "F32", shape: [2 ** 40], byteOffset: 0, storage: undefined });
    await expect(tensor.read()).rejects.toMatchObject({ code: "NO_TENSORS" });
    await expect(tensor.readInto(new Uint8Array(4))).rejects.toMatchObject({ code: "NO_TENSORS" });
  });

  it("refuses to turn four bytes into terabytes", async () => {
    const tensor = tensorOf(spec("F32", [2 ** 40], new Uint8Array(4), { strides: [0] }));
    expect(tensor.byteLength).toBe(2 ** 42);
    expect(await codeOf(tensor.read())).toBe("LIMIT_EXCEEDED");
    expect(await codeOf(tensor.chunks(new Uint8Array(64)).next())).toBe("LIMIT_EXCEEDED");
  });

  it("expands a little", async () => {
    const tensor = tensorOf(spec("U8", [2, 3], new Uint8Array([1, 2, 3]), { strides: [0, 1] }));
    expect(await tensor.read()).toEqual(new Uint8Array([1, 2, 3, 1, 2, 3]));
  });
});

describe("TensorHandle: values", () => {
  it.each([
    ["F16", 2],
    ["F32", 4],
    ["I64", 8],
    ["C64", 4],
    ["C128", 8],
    ["U8", 1],
    ["F8_E4M3", 1],
  ])("gives big-endian %s little-endian, number by number", async (dtype, size) => {
    const little = patternBytes(64);
    const elements = 64 / (dtype.startsWith("C") ? 2 * size : size);
    const tensor = tensorOf(spec(dtype, [elements], reversed(little, size), { bigEndian: true }));
    expectSameBytes(await tensor.read(), little);
  });

  it("swaps bytes after it has gathered elements", async () => {
    const tensor = tensorOf(spec("I16", [2, 2], new Uint8Array([0, 1, 0, 2, 0, 3, 0, 4]), { strides: [1, 2], bigEndian: true }));
    expect(new Int16Array((await tensor.read()).buffer)).toEqual(new Int16Array([1, 3, 2, 4]));
  });

  it("negates floats, and keeps zeros and NaNs what they are", async () => {
    const values = new Float32Array([1.5, -2, 0, Number.NaN, Number.POSITIVE_INFINITY]);
    const found = new Float32Array((await tensorOf(spec("F32", [5], bytesOf(values), { neg: true })).read()).buffer);
    expect(found).toEqual(new Float32Array([-1.5, 2, -0, Number.NaN, Number.NEGATIVE_INFINITY]));
  });

  it("negates integers as torch does, wrapping the smallest", async () => {
    // torch.load(torch.save(torch._neg_view(torch.tensor([1, 2, -128, 0], dtype=torch.int8)))) is [-1, -2, -128, 0]
    const small = tensorOf(spec("I8", [4], bytesOf(new Int8Array([1, 2, -128, 0])), { neg: true }));
    expect(new Int8Array((await small.read()).buffer)).toEqual(new Int8Array([-1, -2, -128, 0]));
    const large = tensorOf(spec("I64", [3], bytesOf(new BigInt64Array([256n, -1n, 0n])), { neg: true }));
    expect(new BigInt64Array((await large.read()).buffer)).toEqual(new BigInt64Array([-256n, 1n, 0n]));
  });

  it("refuses to negate what has no negatives", async () => {
    for (const dtype of ["BOOL", "F8_E8M0", "F8_E4M3FNUZ"]) {
      expect(await codeOf(tensorOf(spec(dtype, [2], new Uint8Array(2), { neg: true })).read())).toBe("UNSUPPORTED_DTYPE");
    }
  });

  it("conjugates complex numbers: the imaginary half alone changes its sign", async () => {
    const values = bytesOf(new Float32Array([1, 2, -3, -4]));
    const conj = tensorOf(spec("C64", [2], values, { conj: true }));
    expect(new Float32Array((await conj.read()).buffer)).toEqual(new Float32Array([1, -2, -3, 4]));
    const both = tensorOf(spec("C64", [2], values, { conj: true, neg: true }));
    expect(new Float32Array((await both.read()).buffer)).toEqual(new Float32Array([-1, 2, 3, -4]));
  });

  it("does not change the storage by reading a negated or swapped view of it", async () => {
    const bytes = bytesOf(new Float32Array([1, 2]));
    const tensor = tensorOf(spec("F32", [2], bytes, { neg: true }));
    expectSameBytes(await tensor.read(), await tensor.read());
    expect(new Float32Array(bytes.buffer)).toEqual(new Float32Array([1, 2]));
  });
});

describe("TensorHandle: chunks", () => {
  it.each([16, 17, 48, 1000])("hands out everything once, in whole elements, with a buffer of %i bytes", async (size) => {
    const bytes = patternBytes(320);
    for (const strides of [undefined, [1, 5]]) {
      const tensor = tensorOf({ dtype: "F64", shape: [5, 8], byteOffset: 0, storage: storageOf(bytes), ...(strides && { strides }) });
      const pieces = await chunksOf(tensor, size);
      for (const piece of pieces) {
        expect(piece.length % 8).toBe(0);
        expect(piece.length).toBeLessThanOrEqual(size);
      }
      const whole = new Uint8Array(await new Blob(pieces.map((piece) => piece.slice())).arrayBuffer());
      expectSameBytes(whole, await tensor.read());
    }
  });

  it("gives elements of 6 bits in multiples of 3 bytes", async () => {
    const bytes = patternBytes(150);
    const pieces = await chunksOf(tensorOf(spec("F6_E2M3", [200], bytes)), 100);
    expect(pieces.map(({ length }) => length)).toEqual([96, 54]);
  });

  it("has no chunks when there are no elements", async () => {
    expect(await chunksOf(tensorOf(spec("F32", [0], new Uint8Array(0))), 16)).toEqual([]);
  });

  it("refuses a buffer that is too small", async () => {
    expect(await codeOf(chunksOf(tensorOf(spec("F32", [1], new Uint8Array(4))), 15))).toBe("INVALID_ARGUMENT");
  });

  it("stops when it is aborted", async () => {
    const controller = new AbortController();
    const chunks = tensorOf(spec("U8", [64], new Uint8Array(64))).chunks(new Uint8Array(16), { signal: controller.signal });
    await chunks.next();
    controller.abort(new Error("stop"));
    await expect(chunks.next()).rejects.toThrow("stop");
  });
});
