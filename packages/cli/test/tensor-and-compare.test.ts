import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Comparison, TensorHistogram, TensorValues } from "@ckptkit/inspect";
import { fixture } from "@ckptkit/testkit/node";
import { describe, expect, it } from "vitest";
import { ckpt, ckptJson, type ErrorJson, scratch } from "./ckpt.js";
import { serve } from "./file-server.js";
import { writeFloats } from "./safetensors-file.js";

const VIT = fixture("vit-tiny.ckpt").path;
const SPECIAL = fixture("special-numbers.pt").path;

interface Shown {
  uri: string;
  tensor: { path: string; dtype: string; shape: number[] };
  values?: TensorValues;
  histogram?: TensorHistogram;
  slice?: { rows: number; columns: number; values: (number | string)[][]; bytesRead: number };
  io: { reads: number; bytesRead: number };
}

describe("ckpt tensor", () => {
  it("shows what a tensor is, by path or by name, and its first values in few digits", async () => {
    for (const path of ["state_dict.model.head.weight", "model.head.weight"]) {
      const { code, stdout, stderr } = await ckpt("tensor", VIT, path);
      expect([code, stderr]).toEqual([0, ""]);
      expect(stdout).toMatch(/shape +\[10, 32\]\n/);
      expect(stdout).toContain("-0.08858049, -0.14578374, ");
    }
  });

  it("shows special numbers, and counts them in the histogram", async () => {
    const { stdout } = await ckpt("tensor", SPECIAL, "float16", "--values", "9", "--histogram", "--bins", "5");
    expect(stdout).toContain("  0.5, nan, -2, inf, -inf, 0, nan, -0, 3\n");
    expect(stdout).toMatch(/not finite +2 NaN, 1 \+Inf, 1 -Inf\n/);
    expect(stdout).toMatch(/\n +0 +3 +█/);
    const { json } = await ckptJson<Shown>("tensor", SPECIAL, "float16", "--values", "9", "--histogram", "--bins", "5");
    expect(json.values?.values).toEqual([0.5, "NaN", -2, "Infinity", "-Infinity", 0, "NaN", "-0", 3]);
    expect(json.histogram).toMatchObject({ counts: [1, 0, 3, 0, 1], nan: 2, min: -2, max: 3 });
  });

  it("draws a plane that is indexed as in Python", async () => {
    const file = join(await scratch(), "x.safetensors");
    await writeFloats(file, { x: [0, 1, Number.NaN, -4] });
    expect((await ckpt("tensor", file, "x", "--slice", ":")).stdout).toContain("  │ ▒!█│\n");
    const { json } = await ckptJson<Shown>("tensor", VIT, "model.patch_embed.weight", "--slice", "0,2,-2:,1:4");
    const all = await ckptJson<Shown>("tensor", VIT, "model.patch_embed.weight", "--values", "192");
    const kernel = all.json.values?.values.slice(2 * 64, 3 * 64) ?? [];
    expect(json.slice?.values).toEqual([kernel.slice(49, 52), kernel.slice(57, 60)]);
    expect(json.slice?.bytesRead).toBeLessThanOrEqual(64 * 4);
  });

  it("reads a few ranges of a file on a server, and not all of it", async () => {
    const { url } = await serve(join(VIT, ".."));
    const { json } = await ckptJson<Shown>(
      "tensor",
      `${url}/st-basic.safetensors`,
      fixture("st-basic.safetensors").truth.tensors[0]?.path ?? "",
    );
    expect(json.io.bytesRead).toBeLessThanOrEqual(fixture("st-basic.safetensors").byteLength);
    expect(json.values?.values.length).toBeGreaterThan(0);
  });

  it.each([
    [["nothing.here"], "UNKNOWN_TENSOR"],
    [["model.head.weight", "--slice", "10"], "INVALID_ARGUMENT"],
    [["model.head.weight", "--slice", "0,0"], "INVALID_ARGUMENT"],
    [["model.head.weight", "--slice", "a"], "INVALID_ARGUMENT"],
    [["model.head.weight", "--histogram", "--bins", "0"], "INVALID_ARGUMENT"],
  ])("refuses %s", async (flags, expected) => {
    const { code, json } = await ckptJson<ErrorJson>("tensor", VIT, ...flags);
    expect([code, json.error.code]).toEqual([2, expected]);
  });

  it("says which tensor may have been meant", async () => {
    expect((await ckpt("tensor", VIT, "model.haed.weight")).stderr).toContain("Did you mean model.head.weight?");
  });
});

describe("ckpt compare", () => {
  it("finds a checkpoint the same as what it was converted to: exit code 0", async () => {
    const out = join(await scratch(), "model.safetensors");
    await ckpt("convert", VIT, out);
    const { code, stdout } = await ckpt("compare", VIT, out);
    expect(stdout).toContain("same: 44 tensors with the same values\n");
    expect(stdout).toContain("137 tensors outside the model left aside");
    expect(code).toBe(0);
  });

  it("tells differences, the largest first: exit code 1, and by its other name too", async () => {
    const folder = await scratch();
    const [a, b] = [join(folder, "a.safetensors"), join(folder, "b.safetensors")];
    await writeFloats(a, { small: [1, 2], large: [1, 2], gone: [1], shape: [1] });
    await writeFloats(b, { small: [1, 2.001], large: [1, 200], came: [1], shape: [1, 2] });
    const { code, stdout } = await ckpt("diff", a, b);
    expect(code).toBe(1);
    expect(stdout).toContain("different: 3 of 3 tensors changed, 1 only in a, 1 only in b\n");
    const rows = stdout.split("\n").map((line) => line.trim().split(/ +/)[0]);
    expect(rows.filter((row) => /^(shape|large|small|gone|came)$/.test(row ?? ""))).toEqual(["shape", "large", "small", "gone", "came"]);
    const { json } = await ckptJson<Comparison>("compare", a, b, "--rtol", "0.01", "--filter", "{small,gone}");
    expect(json).toMatchObject({ verdict: "different", changed: [], same: 1, removed: [{ path: "gone" }] });
    expect((await ckpt("compare", a, b, "--no-values", "--filter", "*l*")).code).toBe(0);
  });

  it("says which prefix to strip", async () => {
    const folder = await scratch();
    const [a, b] = [join(folder, "a.safetensors"), join(folder, "b.safetensors")];
    await writeFloats(a, { "model.x": [1], "model.y.z": [1] });
    await writeFloats(b, { x: [1], "y.z": [1] });
    expect((await ckpt("compare", a, b)).stdout).toContain("try: --strip-prefix model.  (2 names of a would match)");
    expect((await ckpt("compare", a, b, "--strip-prefix", "model.")).code).toBe(0);
  });

  it("is in trouble, and not different, when a file is missing or damaged: exit code 2", async () => {
    expect((await ckpt("compare", VIT, "/no/such/file")).code).toBe(2);
    const damaged = join(await scratch(), "damaged.ckpt");
    const bytes = await readFile(VIT);
    await writeFile(damaged, bytes.subarray(0, bytes.length / 2));
    expect((await ckpt("compare", VIT, damaged)).code).toBe(2);
    expect((await ckpt("compare", VIT, VIT, "--rtol", "-1")).code).toBe(2);
    expect((await ckpt("compare", VIT, VIT, "--filter", "nothing")).code).toBe(2);
  });
});
