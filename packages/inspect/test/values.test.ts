import { readTensorValues } from "@ckptkit/inspect";
import { isSpecified } from "@ckptkit/testkit";
import { fixture } from "@ckptkit/testkit/node";
import { describe, expect, it } from "vitest";
// The first 40 values of every tensor, as torch 2.13 gives them: t.dequantize().flatten()[:40].tolist(), float8 through float32.
import truth from "./element-values.json" with { type: "json" };
import { openFixture } from "./opened.js";

describe("readTensorValues", () => {
  it.each(Object.entries(truth))("gives the values of %s as torch has them, to the last bit", async (file, expected) => {
    const checkpoint = await openFixture(file);
    let compared = 0;
    for (const tensor of checkpoint.tensors) {
      const values = new Map(Object.entries(expected)).get(tensor.path);
      if (values === undefined || !isSpecified(fixture(file), tensor.path)) continue;
      const found = await readTensorValues(tensor, { count: 40 });
      expect(found.values, tensor.path).toEqual(values);
      expect(found).toMatchObject({ path: tensor.path, dtype: tensor.dtype, start: 0, count: tensor.elementCount });
      compared++;
    }
    expect(compared).toBeGreaterThan(0);
  });

  it("starts anywhere, also within a packed byte or on another channel's scale", async () => {
    for (const file of ["quantized.pt", "quantized-packed.pt", "dtypes-all.pt"]) {
      for (const tensor of (await openFixture(file)).tensors) {
        const all = await readTensorValues(tensor, { count: 10_000 });
        for (const start of [1, 3, tensor.elementCount - 1]) {
          if (start < 0 || start >= tensor.elementCount) continue;
          const part = await readTensorValues(tensor, { start, count: 2 });
          expect(part.values, `${file} ${tensor.path} from ${start}`).toEqual(all.values.slice(start, start + 2));
        }
      }
    }
  });

  it("gives with quantised values the integers that are stored", async () => {
    const { tensors } = await openFixture("quantized.pt");
    const tensor = tensors.find(({ path }) => path === "per_tensor_qint8");
    if (!tensor) throw new Error("no such tensor");
    const { values, stored } = await readTensorValues(tensor, { count: 4 });
    // scale 0.05, zero point -3
    expect(stored).toEqual([-15, -9, 29, -9]);
    expect(values).toEqual([-15, -9, 29, -9].map((integer) => Math.fround((integer + 3) * Math.fround(0.05))));
  });

  it("reads no more than the elements that are asked for", async () => {
    const { tensors } = await openFixture("vit-tiny.ckpt");
    const tensor = tensors.find(({ path }) => path === "state_dict.model.patch_embed.weight");
    if (!tensor) throw new Error("no such tensor");
    expect((await readTensorValues(tensor, { start: 100, count: 10 })).bytesRead).toBe(40);
  });

  it("refuses what it cannot give", async () => {
    const { tensors } = await openFixture("odd-layouts.pt");
    const meta = tensors.find(({ storage }) => !storage);
    if (!meta) throw new Error("no tensor without bytes");
    await expect(readTensorValues(meta)).rejects.toMatchObject({ code: "NO_TENSORS" });
    const tensor = tensors.find(({ storage }) => storage);
    if (!tensor) throw new Error("no tensor");
    await expect(readTensorValues(tensor, { start: -1 })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    const packed = (await openFixture("st-packed-dtypes.safetensors")).tensors.find(({ dtype }) => dtype.startsWith("F6"));
    if (packed) await expect(readTensorValues(packed)).rejects.toMatchObject({ code: "UNSUPPORTED_DTYPE" });
  });
});
