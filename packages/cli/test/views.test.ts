import { join } from "node:path";
import type { CheckpointSummary, ModuleNode } from "@ckptkit/inspect";
import { fixture } from "@ckptkit/testkit/node";
import { expect, it } from "vitest";
import { ckpt, ckptJson, scratch } from "./ckpt.js";
import { writeFloats } from "./safetensors-file.js";

const VIT = fixture("vit-tiny.ckpt").path;

it("sums a checkpoint up with inspect --summary, as text and as JSON", async () => {
  const { code, stdout, stderr } = await ckpt("inspect", VIT, "--summary");
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/made by +PyTorch Lightning 2\.6\.6\n/);
  expect(stdout).toMatch(/optimizer +Adam, 1 parameter group, learning rate 0, 132 tensors of state/);
  expect(stdout).toMatch(/scheduler +CosineAnnealingLR\n/);
  expect(stdout).toMatch(/training with Adam +512 KiB: weights 128 KiB, gradients 128 KiB, moments 256 KiB\n/);
  const { json } = await ckptJson<CheckpointSummary>("inspect", VIT, "--summary");
  expect(json).toMatchObject({ format: "torch-zip", training: { epoch: 5, globalStep: 96 }, findings: { total: 0 } });
  expect((await ckpt("inspect", fixture("ties.pt").path, "--summary")).stdout).toMatch(/tied +embed\.weight = head\.weight\n/);
});

it("shows modules with inspect --modules, layers that are alike on one line", async () => {
  const { code, stdout } = await ckpt("inspect", VIT, "--modules");
  expect(code).toBe(0);
  expect(stdout).toMatch(/\n {8}0 \.\.\. 2 +25,632 .* 3 alike\n/);
  expect(stdout).toMatch(/\n {6}head +330 /);
  expect((await ckpt("inspect", VIT, "--modules", "--verbose")).stdout).toMatch(/\n {8}1 +8,544 /);
  const shallow = (await ckpt("inspect", VIT, "--modules", "--depth", "1")).stdout.split("\n");
  expect(shallow.map((line) => line.trim().split(" ")[0])).toEqual([VIT, "module", "(all)", "model", ""]);
  const { json } = await ckptJson<ModuleNode>("inspect", VIT, "--modules");
  expect(json).toMatchObject({ name: "", parameters: 32_778, children: [{ name: "model" }] });
});

it("writes tensors as CSV, with the scan's numbers too, and a report in Markdown", async () => {
  const { stdout } = await ckpt("inspect", VIT, "--csv");
  expect(stdout.split("\r\n")).toHaveLength(1 + 181 + 1);
  expect(stdout).toContain("state_dict.model.head.weight,model.head.weight,model,F32,10x32,320,1280,");
  const scanned = await ckpt("scan", fixture("special-numbers.pt").path, "--csv", "--filter", "float16");
  expect(scanned.code).toBe(1);
  expect(scanned.stdout.split("\r\n")[1]).toMatch(/^float16,float16,model,F16,9,9,18,0,9,2,1,1,2,-2,3,0\.3/);
  expect((await ckpt("inspect", VIT, "--markdown")).stdout).toContain("| model | F32 | 44 | 32778 | 131112 |");
});

it("writes no name to the terminal that could act on it", async () => {
  const file = join(await scratch(), "evil.safetensors");
  await writeFloats(file, { "\u001b[2Jmodule.\u202ename": [1], "=cmd()": [2] });
  for (const view of [["--summary"], ["--modules"]]) {
    const { stdout } = await ckpt("inspect", file, ...view);
    expect(stdout).not.toMatch(/[^\P{Cc}\n]/u);
    expect(stdout).not.toContain("\u202e");
  }
  expect((await ckpt("inspect", file, "--csv")).stdout).toContain("\r\n'=cmd(),");
});

it.each([
  [["--csv", "--json"], "--json cannot be combined with --csv."],
  [["--depth", "2"], "--depth is for --modules."],
  [["--depth", "x", "--modules"], "whole number"],
])("refuses inspect %s", async (flags, message) => {
  const { code, stdout, stderr } = await ckpt("inspect", VIT, ...flags);
  expect(code).toBe(2);
  expect(stdout + stderr).toContain(message);
});
