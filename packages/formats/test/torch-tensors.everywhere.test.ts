import { memorySource } from "@ckptkit/core";
import type { PickleValue } from "@ckptkit/pickle";
import { codeOf } from "@ckptkit/testkit";
import { describe, expect, it } from "vitest";
import { openTorchLegacy, openTorchZip } from "../src/index.js";
import { concat, fields } from "./sparse-source.js";
import { call, dict, global, legacyStack, SIX, type TensorParts, tensor, torchZip, tuple } from "./torch-file.js";
import { codesOf, legacySource } from "./torch-outcomes.js";

describe("a tensor whose description is right", () => {
  it.each<readonly [string, TensorParts]>([
    ["contiguous", {}],
    ["a scalar", { size: tuple(), stride: tuple() }],
    ["empty", { size: tuple(0, 9), stride: tuple(9, 1) }],
    ["expanded", { size: tuple(6, 1000), stride: tuple(1, 0) }],
    ["a part", { offset: 2, size: tuple(2, 2), stride: tuple(2, 1) }],
    ["of torch.Size", { size: call("torch.Size", tuple(2, 3)) }],
    ["of a CUDA storage", { storageClass: "torch.cuda.FloatStorage" }],
    ["of a numeric key", { key: 0 }],
    ["one element at the very end", { offset: 5, size: tuple(1), stride: tuple(100) }],
  ])("is read: %s", async (_, parts) => {
    expect(await codesOf(dict({ w: tensor(parts) }))).toEqual(["read", "read"]);
  });
});

describe("a tensor whose description is wrong", () => {
  const huge = 2 ** 53 - 1;
  it.each<readonly [string, TensorParts, string]>([
    ["a negative size", { size: tuple(-2, 3) }, "TORCH_CORRUPT"],
    ["a negative stride", { stride: tuple(-3, 1) }, "TORCH_CORRUPT"],
    ["a negative offset", { offset: -1 }, "TORCH_CORRUPT"],
    ["a negative element count", { count: -6 }, "TORCH_CORRUPT"],
    ["a size that is a float", { size: tuple({ kind: "real", value: 2 }, 3) }, "TORCH_CORRUPT"],
    ["a size that is a fraction", { size: tuple(2.5, 3) }, "TORCH_CORRUPT"],
    ["a size that is True", { size: tuple(true, 3) }, "TORCH_CORRUPT"],
    ["a size that is text", { size: tuple("2", 3) }, "TORCH_CORRUPT"],
    ["a size of 2^64", { size: tuple(2n ** 64n, 3) }, "TORCH_CORRUPT"],
    ["a stride of 2^64", { stride: tuple(2n ** 64n, 1) }, "TORCH_CORRUPT"],
    ["a shape that is no tuple", { size: 6 }, "TORCH_CORRUPT"],
    ["a shape that is missing", { size: null }, "TORCH_CORRUPT"],
    ["a shape made by an unknown call", { size: call("os.urandom", 2) }, "TORCH_CORRUPT"],
    ["a shape of thousands of axes", { size: tuple(...new Array<number>(5000).fill(1)) }, "TORCH_CORRUPT"],
    ["an element count that is text", { count: "6" }, "TORCH_CORRUPT"],
    ["an element count of 2^53 - 1", { count: huge }, "TORCH_CORRUPT"],
    ["a key that is None", { key: null }, "TORCH_CORRUPT"],
    ["a key that is a tuple", { key: tuple("0") }, "TORCH_CORRUPT"],
    ["an unknown storage class", { storageClass: "torch.NoSuchStorage" }, "TORCH_CORRUPT"],
    ["a storage class that is a function", { storageClass: "os.system" }, "TORCH_CORRUPT"],
    ["a storage class of another module", { storageClass: "evil.FloatStorage" }, "TORCH_CORRUPT"],
    ["an id that is text", { id: "0" }, "TORCH_CORRUPT"],
    ["an id that is empty", { id: tuple() }, "TORCH_CORRUPT"],
    ["an id of another kind", { id: tuple("module", global("torch.FloatStorage"), "0", "cpu", 6) }, "TORCH_CORRUPT"],
    ["an id that is too short", { id: tuple("storage", global("torch.FloatStorage"), "0") }, "TORCH_CORRUPT"],
    ["an id that is too long", { id: tuple("storage", global("torch.FloatStorage"), "0", "cpu", 6, null, null) }, "TORCH_CORRUPT"],
    ["fewer strides than axes", { stride: tuple(1) }, "TENSOR_OUT_OF_BOUNDS"],
    ["more elements than its storage has", { size: tuple(2, 4), stride: tuple(4, 1) }, "TENSOR_OUT_OF_BOUNDS"],
    ["a stride that leaves its storage", { stride: tuple(4, 1) }, "TENSOR_OUT_OF_BOUNDS"],
    ["an offset that leaves its storage", { offset: 1 }, "TENSOR_OUT_OF_BOUNDS"],
    ["an offset of 2^53 - 1", { offset: huge }, "TENSOR_OUT_OF_BOUNDS"],
    ["sizes whose product is no exact number", { size: tuple(2 ** 40, 2 ** 40), stride: tuple(0, 0) }, "TENSOR_OUT_OF_BOUNDS"],
    ["strides whose reach is no exact number", { size: tuple(2 ** 30, 2), stride: tuple(2 ** 50, 1) }, "TENSOR_OUT_OF_BOUNDS"],
    ["a stride of 0 that stands for terabytes", { size: tuple(2 ** 40), stride: tuple(0) }, "LIMIT_EXCEEDED"],
  ])("is refused: %s", async (_, parts, code) => {
    expect(await codesOf(dict({ w: tensor(parts) }))).toEqual([code, code]);
  });

  it("is refused where its storage has another size than it says (CVE-2026-24747)", async () => {
    for (const count of [5, 7, 0, 60]) {
      const value = dict({ w: tensor({ count, size: tuple(1), stride: tuple(1) }) });
      expect(await codeOf(openTorchZip(torchZip(value))), `${count}`).toBe("TORCH_STORAGE_SIZE");
    }
    // Two tensors that disagree on one storage.
    const both = dict({ a: tensor(), b: tensor({ storageClass: "torch.DoubleStorage" }) });
    expect(await codeOf(openTorchZip(torchZip(both)))).toBe("TORCH_STORAGE_SIZE");
    expect(await codeOf(openTorchLegacy(legacySource(both)))).toBe("TORCH_STORAGE_SIZE");
    // A legacy storage begins with its element count.
    const file = concat(legacyStack(dict({ w: tensor() })), fields([8, 5]), SIX);
    const { tensors } = await openTorchLegacy(memorySource(file));
    expect(await codeOf(tensors[0]?.read() ?? Promise.resolve())).toBe("TORCH_STORAGE_SIZE");
  });

  it("is refused where its storage is missing", async () => {
    const value = dict({ w: tensor({ key: "1" }) });
    expect(await codeOf(openTorchZip(torchZip(value)))).toBe("TORCH_STORAGE_MISSING");
    expect(await codeOf(openTorchLegacy(legacySource(value)))).toBe("TORCH_STORAGE_MISSING");
    expect(await codeOf(openTorchZip(torchZip(dict({ w: tensor({ key: "../byteorder", count: 1 }) }))))).toBe("TORCH_STORAGE_MISSING");
  });

  it("is refused where an archive gives it a view of another storage, which only legacy files have", async () => {
    const id = tuple("storage", global("torch.FloatStorage"), "0", "cpu", 6, tuple("view", 2, 3));
    const value = dict({ w: tensor({ id, size: tuple(3), stride: tuple(1) }) });
    expect(await codeOf(openTorchZip(torchZip(value)))).toBe("TORCH_CORRUPT");
    const { tensors } = await openTorchLegacy(legacySource(value));
    expect(await tensors[0]?.read()).toEqual(SIX.slice(8, 20));
    const outside = tuple("storage", global("torch.FloatStorage"), "0", "cpu", 6, tuple("view", 5, 3));
    expect(await codeOf(openTorchLegacy(legacySource(dict({ w: tensor({ id: outside }) }))))).toBe("TORCH_CORRUPT");
  });

  it("of an unknown dtype is refused", async () => {
    const id = tuple("storage", global("torch.storage.UntypedStorage"), "0", "cpu", 24);
    const rebuilt = (dtype: PickleValue) =>
      call(
        "torch._utils._rebuild_tensor_v3",
        { kind: "persistent", id },
        0,
        tuple(6),
        tuple(1),
        false,
        call("collections.OrderedDict"),
        dtype,
      );
    expect(await codesOf(dict({ w: rebuilt(global("torch.float32")) }))).toEqual(["read", "TORCH_STORAGE_SIZE"]); // counted in bytes
    for (const dtype of [global("torch.float7"), global("os.system"), "torch.float32", null]) {
      expect(await codesOf(dict({ w: rebuilt(dtype) }))).toEqual(["TORCH_CORRUPT", "TORCH_CORRUPT"]);
    }
  });
});
