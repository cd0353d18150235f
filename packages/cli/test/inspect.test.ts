import { join } from "node:path";
import { fixture } from "@ckptkit/testkit/node";
import { expect, it } from "vitest";
import { ckpt, ckptJson, ended, scratch, start } from "./ckpt.js";
import { serve } from "./file-server.js";
import { writeFloats } from "./safetensors-file.js";

const VIT = fixture("vit-tiny.ckpt").path;
const ESCAPE = "\u001b";
/** Control characters other than the end of a line. */
const CONTROL = /[^\P{Cc}\n]/u;

it("shows format, layout, counts, metadata and every tensor, with aligned columns and without tabs", async () => {
  const { code, stdout, stderr } = await ckpt("inspect", VIT);
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toContain(`${VIT}\n`);
  expect(stdout).toMatch(/format +torch-zip\n/);
  expect(stdout).toMatch(/layout +lightning\n/);
  expect(stdout).toMatch(/size +437 KiB \(447,067 bytes\)\n/);
  expect(stdout).toMatch(/epoch +5\n/);
  expect(stdout).toMatch(/global_step +96\n/);
  expect(stdout).toMatch(/pytorch-lightning_version +2\.6\.6\n/);
  for (const { path, dtype, shape } of fixture("vit-tiny.ckpt").truth.tensors) {
    const line = stdout.split("\n").find((text) => text.startsWith(`  ${path} `)) ?? "";
    expect(line, path).toContain(` ${dtype} `);
    expect(line, path).toContain(` [${shape.join(", ")}] `);
  }
  const columns = stdout.split("\n").filter((line) => line.startsWith("  state_dict."));
  expect(new Set(columns.map((line) => line.indexOf(" F32 "))).size).toBe(1);
  expect(stdout).not.toMatch(CONTROL);
  expect(stdout).not.toMatch(/ \n/);
});

it("shows the object graph as a tree with the tensors in their places", async () => {
  const { code, stdout } = await ckpt("inspect", "--tree", VIT);
  expect(code).toBe(0);
  expect(stdout).toContain("├── epoch: 5\n");
  expect(stdout).toContain('├── pytorch-lightning_version: "2.6.6"\n');
  expect(stdout).toContain("│   ├── model.cls_token: F32 [1, 1, 32]\n");
});

it("ends the tree of a structure that holds itself", async () => {
  const { stdout } = await ckpt("inspect", "--tree", fixture("cyclic.pt").path);
  expect(stdout).toContain("self: the same as the root");
  expect(stdout).toContain("second: the same as first");
});

it("shows only the tensors that a glob matches, and in the tree what leads to them", async () => {
  const listed = await ckptJson<{ tensors: { path: string }[] }>("inspect", VIT, "--filter", "*head*");
  expect(listed.json.tensors.map(({ path }) => path)).toEqual(["state_dict.model.head.weight", "state_dict.model.head.bias"]);
  const { stdout } = await ckpt("inspect", VIT, "--tree", "--filter", "*head*");
  expect(stdout.split("\n").slice(1)).toEqual([
    "dict of 10",
    "└── state_dict: OrderedDict of 44",
    "    ├── model.head.weight: F32 [10, 32]",
    "    └── model.head.bias: F32 [10]",
    "",
  ]);
});

it("marks tied tensors", async () => {
  const { stdout } = await ckpt("inspect", fixture("ties.pt").path);
  expect(stdout).toMatch(/head\.weight .* tied to embed\.weight/);
});

it("opens an address with a few range requests", async () => {
  const { url, requests } = await serve(join(VIT, ".."));
  const { code, json } = await ckptJson<{ format: string; tensors: unknown[]; uri: string }>("inspect", `${url}/vit-tiny.ckpt`);
  expect(code).toBe(0);
  expect(json.format).toBe("torch-zip");
  expect(json.tensors).toHaveLength(fixture("vit-tiny.ckpt").truth.tensors.length);
  expect(requests()).toBeLessThanOrEqual(6);
});

it("shows names with control characters and turned text escaped, so that a file cannot write to the terminal", async () => {
  const file = join(await scratch(), "evil.safetensors");
  await writeFloats(file, { [`${ESCAPE}[2J${ESCAPE}]0;owned\u0007\u202eevil\u009b1m`]: [1], "line\nbreak": [Number.NaN] });
  for (const args of [["inspect"], ["inspect", "--tree"], ["scan"], ["hash", "--tensors"]]) {
    const { stdout, stderr } = await ckpt(...args, file);
    expect(stdout + stderr, args.join(" ")).not.toMatch(CONTROL);
    expect(stdout + stderr, args.join(" ")).not.toContain("\u202e");
    expect(stdout).toContain("\\x1b[2J\\x1b]0;owned\\x07\\u202eevil\\x9b1m");
    expect(stdout).toContain("line\\nbreak");
  }
});

it("uses colour on request, and not when NO_COLOR forbids it", async () => {
  const forced = await ended(start(["inspect", VIT], { FORCE_COLOR: "1" }));
  expect(forced.stdout).toContain(`${ESCAPE}[1m`);
  const both = await ended(start(["inspect", VIT], { FORCE_COLOR: "1", NO_COLOR: "1" }));
  expect(both.stdout).not.toContain(ESCAPE);
});

it("keeps to the width that COLUMNS asks for", async () => {
  const { stdout } = await ended(start(["inspect", VIT], { COLUMNS: "72" }));
  expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(72);
  expect(stdout).toContain("…");
});

it("ends quietly when the reader of its output goes away", async () => {
  const file = join(await scratch(), "many.safetensors");
  await writeFloats(file, Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`layers.${index}.weight`, []])));
  const child = start(["inspect", file]);
  child.stdout.once("data", () => child.stdout.destroy());
  const { code, stderr } = await ended(child);
  expect([code, stderr]).toEqual([0, ""]);
});
