import { expectSameBytes, patternBytes } from "@ckptkit/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gather } from "../src/gather.js";
import { countSource, memorySource, Storage, type TensorHandle } from "../src/index.js";
import { DTYPE_OF_SIZE, elementsNeeded, naiveGather, storageOf, tensorOf, type View, views } from "./strided.js";

const handle = (view: View, bytes: Uint8Array): TensorHandle =>
  tensorOf({
    dtype: DTYPE_OF_SIZE[view.itemBytes] ?? "U8",
    shape: view.shape,
    strides: view.strides,
    byteOffset: view.offset * view.itemBytes,
    storage: storageOf(bytes),
  });

describe("gather", () => {
  it("gives the same bytes as copying element by element, for any strides, part, budget and alignment (property)", async () => {
    const part = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }));
    await fc.assert(
      fc.asyncProperty(views, part, fc.integer({ min: 1, max: 400 }), fc.nat(5), async (view, [from, to], budgetBytes, shift) => {
        const bytes = patternBytes(elementsNeeded(view) * view.itemBytes);
        const expected = naiveGather(bytes, view);
        const count = expected.length / view.itemBytes;
        const first = Math.min(Math.floor(from * count), count - 1);
        const end = first + 1 + Math.floor(to * (count - first - 1));
        const target = new Uint8Array(shift + (end - first) * view.itemBytes).subarray(shift);
        await gather(handle(view, bytes), target, first * view.itemBytes, budgetBytes);
        expectSameBytes(target, expected.subarray(first * view.itemBytes, end * view.itemBytes));
      }),
      { numRuns: 1000 },
    );
  });

  it("reads no more at a time than its budget, down to single elements", async () => {
    const view: View = { shape: [50, 30], strides: [1, 50], offset: 0, itemBytes: 4 };
    const bytes = patternBytes(6000);
    for (const budget of [4, 100, 1000, 6000]) {
      let largest = 0;
      const inner = memorySource(bytes);
      const storage = new Storage({
        id: "s",
        bytes: {
          ...inner,
          readInto: async (target, start) => {
            largest = Math.max(largest, target.length);
            await inner.readInto?.(target, start);
          },
        },
      });
      const tensor = tensorOf({ dtype: "F32", shape: view.shape, strides: view.strides, byteOffset: 0, storage });
      const target = new Uint8Array(6000);
      await gather(tensor, target, 0, budget);
      expectSameBytes(target, naiveGather(bytes, view));
      expect(largest).toBeLessThanOrEqual(budget);
    }
  });

  it("does not read the whole of a large storage for one of its columns", async () => {
    const inner = countSource(memorySource(new Uint8Array(4 * 1024 * 1024)));
    const storage = new Storage({ id: "s", bytes: inner });
    const tensor = tensorOf({ dtype: "F32", shape: [16], strides: [65_536], byteOffset: 0, storage });
    await tensor.read();
    expect(inner.counts.bytesRead).toBeLessThan(100_000);
  });

  it("reads a transposed matrix as few times as the budget allows when it is handed out in small chunks", async () => {
    const bytes = patternBytes(1024 * 1024);
    const inner = countSource(memorySource(bytes));
    const tensor = tensorOf({
      dtype: "F32",
      shape: [512, 512],
      strides: [1, 512],
      byteOffset: 0,
      storage: new Storage({ id: "s", bytes: inner }),
    });
    const found = new Uint8Array(tensor.byteLength);
    let at = 0;
    for await (const piece of tensor.chunks(new Uint8Array(4096))) {
      found.set(piece, at);
      at += piece.length;
    }
    expectSameBytes(found, naiveGather(bytes, { shape: [512, 512], strides: [1, 512], offset: 0, itemBytes: 4 }));
    expect(inner.counts).toEqual({ reads: 1, bytesRead: 1024 * 1024 });
  });

  it("stops when it is aborted", async () => {
    const controller = new AbortController();
    let reads = 0;
    const inner = memorySource(patternBytes(6000));
    const storage = new Storage({
      id: "s",
      bytes: {
        ...inner,
        readInto: async (target, start) => {
          if (++reads === 3) controller.abort(new Error("stop"));
          await inner.readInto?.(target, start);
        },
      },
    });
    const tensor = tensorOf({ dtype: "F32", shape: [50, 30], strides: [1, 50], byteOffset: 0, storage });
    await expect(gather(tensor, new Uint8Array(6000), 0, 100, { signal: controller.signal })).rejects.toThrow("stop");
    expect(reads).toBe(3);
  });

  it("refuses strided views of elements that are not whole bytes", async () => {
    const tensor = tensorOf({ dtype: "F4", shape: [4, 4], strides: [1, 4], byteOffset: 0, storage: storageOf(new Uint8Array(8)) });
    await expect(tensor.read()).rejects.toMatchObject({ code: "UNSUPPORTED_DTYPE" });
  });
});
