import { link, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bigSafetensors, fixture, readFixture } from "@ckptkit/testkit/node";
import { expect, it } from "vitest";
import { ckpt, ckptJson, type ErrorJson, ended, scratch, start } from "./ckpt.js";

const VIT = fixture("vit-tiny.ckpt");
const weights = VIT.truth.tensors.filter(({ group }) => group === "model");
const digestsByName = Object.fromEntries(weights.map(({ name = "", sha256 }) => [name, sha256]));

interface Converted {
  uri: string;
  to: string;
  files: { path: string; byteLength: number }[];
  tensorCount: number;
  ties: Record<string, string>;
}

/** Digest of every tensor by its name in the model. */
async function digests(file: string): Promise<Record<string, string>> {
  const { json } = await ckptJson<{ tensors: { path: string; digest: string }[] }>("hash", "--tensors", file);
  return Object.fromEntries(json.tensors.map(({ path, digest }) => [path.replace(/^state_dict\.(?=model\.)/, ""), digest]));
}

it.each([
  ["model.safetensors", "safetensors", "safetensors", "state_dict"],
  ["model.pt", "state_dict", "torch-zip", "state_dict"],
  ["model.PTH", "state_dict", "torch-zip", "state_dict"],
  ["model.ckpt", "lightning", "torch-zip", "lightning"],
])("writes %s as %s, by its suffix, with the model's weights bit for bit", async (name, to, format, layout) => {
  const out = join(await scratch(), "made", "on the way", name);
  const { code, json, stderr } = await ckptJson<Converted>("convert", VIT.path, out);
  expect([code, stderr]).toEqual([0, ""]);
  expect(json).toMatchObject({ uri: VIT.path, to, tensorCount: weights.length, files: [{ path: out }] });
  expect(json.files[0]?.byteLength).toBe((await readFile(out)).length);
  expect(await digests(out)).toEqual(digestsByName);
  expect((await ckptJson("inspect", out)).json).toMatchObject({ format, layout, findings: [] });
});

it("writes what --to says, whatever the suffix", async () => {
  const out = join(await scratch(), "weights.data");
  expect((await ckpt("convert", VIT.path, out, "--to", "pytorch")).code).toBe(0);
  expect((await ckptJson("inspect", out)).json).toMatchObject({ format: "torch-zip", layout: "pytorch" });
  const { code, json } = await ckptJson<ErrorJson>("convert", VIT.path, `${out}2`);
  expect([code, json.error.code]).toEqual([2, "INVALID_ARGUMENT"]);
});

it("takes optimizer states and the rest along with --all", async () => {
  const out = join(await scratch(), "all.safetensors");
  const { json } = await ckptJson<Converted>("convert", VIT.path, out, "--all");
  expect(json.tensorCount).toBe(VIT.truth.tensors.length);
  const { json: hashed } = await ckptJson<{ tensors: { path: string; digest: string }[] }>("hash", "--tensors", out);
  const stored = new Map(hashed.tensors.map(({ path, digest }) => [path, digest]));
  expect(stored.size + Object.keys(json.ties).length).toBe(VIT.truth.tensors.length);
  for (const { path, sha256 } of VIT.truth.tensors) expect(stored.get(json.ties[path] ?? path), path).toBe(sha256);
});

it("tells what it wrote, left out, cast and stored once", async () => {
  const out = join(await scratch(), "small.safetensors");
  const { code, stdout, stderr } = await ckpt("convert", VIT.path, out, "--dtype", "bf16");
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toContain(`wrote ${out}: 44 tensors, `);
  expect(stdout).toContain("137 tensors outside the model's weights: --all writes them too");
  expect(stdout).toContain("F32 to BF16: 44 tensors");
  const { json } = await ckptJson<{ tensors: { dtype: string }[] }>("inspect", out);
  expect(new Set(json.tensors.map(({ dtype }) => dtype))).toEqual(new Set(["BF16"]));
  const ties = await ckpt("convert", fixture("ties.pt").path, join(out, "..", "ties.safetensors"));
  expect(ties.stdout).toContain("1 tensor stored once: head.weight = embed.weight");
});

it("splits into shards with an index, and puts them together again", async () => {
  const folder = await scratch();
  const { json } = await ckptJson<Converted>("convert", VIT.path, join(folder, "s.safetensors"), "--max-shard-size", "40KB");
  expect(json.files.map(({ path }) => path)).toEqual([
    ...[1, 2, 3, 4].map((shard) => join(folder, `s-0000${shard}-of-00004.safetensors`)),
    join(folder, "s.safetensors.index.json"),
  ]);
  const whole = join(folder, "whole.pt");
  expect((await ckpt("convert", join(folder, "s.safetensors.index.json"), whole)).code).toBe(0);
  expect(await digests(whole)).toEqual(digestsByName);
});

it("refuses to write over the file that it reads, by whatever name, and over a shard", async () => {
  const folder = await scratch();
  const file = join(folder, "m.safetensors");
  const bytes = await readFixture("st-basic.safetensors");
  await writeFile(file, bytes);
  await symlink(file, join(folder, "link.safetensors"));
  await link(file, join(folder, "hard.safetensors"));
  for (const out of [file, join(folder, "link.safetensors"), join(folder, "hard.safetensors"), join(folder, ".", "m.safetensors")]) {
    const { code, json } = await ckptJson<ErrorJson>("convert", file, out, "--force");
    expect([code, json.error.code], out).toEqual([2, "DESTINATION_EXISTS"]);
  }
  expect(new Uint8Array(await readFile(file))).toEqual(bytes);
  for (const name of [1, 2, 3].map((shard) => `st-sharded-0000${shard}-of-00003.safetensors`).concat("st-sharded.safetensors.index.json")) {
    await writeFile(join(folder, name), await readFixture(name));
  }
  const shard = join(folder, "st-sharded-00002-of-00003.safetensors");
  const { code, json } = await ckptJson<ErrorJson>("convert", join(folder, "st-sharded.safetensors.index.json"), shard, "--force");
  expect([code, json.error.code]).toEqual([2, "DESTINATION_EXISTS"]);
  expect(new Uint8Array(await readFile(shard))).toEqual(await readFixture("st-sharded-00002-of-00003.safetensors"));
});

it("replaces a file that is there only with --force", async () => {
  const out = join(await scratch(), "there.safetensors");
  await writeFile(out, "precious");
  const { code, json } = await ckptJson<ErrorJson>("convert", VIT.path, out);
  expect([code, json.error.code]).toEqual([2, "DESTINATION_EXISTS"]);
  expect(json.error.suggestions.join(" ")).toContain("--force");
  expect(await readFile(out, "utf8")).toBe("precious");
  expect((await ckpt("convert", VIT.path, out, "--force")).code).toBe(0);
  expect(await digests(out)).toEqual(digestsByName);
});

it("ends with exit code 1 when there are no model weights, and leaves nothing behind", async () => {
  const folder = await scratch();
  const { code, json } = await ckptJson<ErrorJson>("convert", fixture("tensor-list.pt").path, join(folder, "x.safetensors"));
  expect([code, json.error.code]).toEqual([1, "NO_STATE_DICT"]);
  expect(await readdir(folder)).toEqual([]);
});

it("leaves what was there as it was, and no other file, when Ctrl-C stops it", async () => {
  const big = await bigSafetensors({ bytes: 4e9 });
  try {
    const folder = await scratch();
    const out = join(folder, "out.pt");
    await writeFile(out, "precious");
    const child = start(["convert", big.path, out, "--force", "--dtype", "F16"]);
    const end = ended(child);
    while ((await readdir(folder)).length < 2 && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 10));
    child.kill("SIGINT");
    expect(await end).toEqual({ code: 130, stdout: "", stderr: "interrupted, nothing was written\n" });
    expect(await readdir(folder)).toEqual(["out.pt"]);
    expect(await readFile(out, "utf8")).toBe("precious");
  } finally {
    await big.remove();
  }
});
