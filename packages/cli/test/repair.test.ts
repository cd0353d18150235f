import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describeWithOracle, fixture } from "@ckptkit/testkit/node";
import { expect, it } from "vitest";
import { ckpt, ckptJson, type ErrorJson, scratch } from "./ckpt.js";

const VIT = fixture("vit-tiny.ckpt");

interface Repaired {
  to: string;
  files: { path: string; byteLength: number }[];
  saved: number;
  unchecked: number;
  lost: { path: string; group: string; reason: string; message: string }[];
}

/** The fixture cut off after some bytes, in a folder of its own. */
async function cut(bytes: number): Promise<{ file: string; folder: string }> {
  const folder = await scratch();
  const file = join(folder, "cut.ckpt");
  await writeFile(file, (await readFile(VIT.path)).subarray(0, bytes));
  return { file, folder };
}

it("saves what is whole of a cut file, lists what is lost, and exits 1", async () => {
  const { file, folder } = await cut(410_000);
  const out = join(folder, "saved.safetensors");
  const { code, json } = await ckptJson<Repaired>("repair", file, out);
  expect([code, json.to, json.files.map(({ path }) => path)]).toEqual([1, "safetensors", [out]]);
  expect(json.saved + json.lost.length).toBe(VIT.truth.tensors.length);
  const lost = new Set(json.lost.map(({ path }) => path));
  const { json: hashed } = await ckptJson<{ tensors: { path: string; digest: string }[] }>("hash", "--tensors", out);
  const digests = new Map(hashed.tensors.map(({ path, digest }) => [path, digest]));
  for (const { path, name = path, sha256 } of VIT.truth.tensors) {
    if (!lost.has(path) && digests.has(name)) expect(digests.get(name), path).toBe(sha256);
  }
  const text = await ckpt("repair", file, join(folder, "saved.ckpt"));
  expect(text.code).toBe(1);
  expect(text.stdout).toContain(`${json.saved} of ${VIT.truth.tensors.length} tensors saved`);
  expect(text.stdout).toContain("None of the model's weights is lost.");
});

it("exits 0 for a whole file, 2 where nothing can be saved, and replaces OUT with --force only", async () => {
  const { file, folder } = await cut(1000);
  const out = join(folder, "out.pt");
  const nothing = await ckptJson<ErrorJson>("repair", file, out);
  expect([nothing.code, nothing.json.error.code, existsSync(out)]).toEqual([2, "NOTHING_SAVED", false]);
  expect((await ckpt("repair", VIT.path, out)).code).toBe(0);
  expect((await ckptJson<ErrorJson>("repair", VIT.path, out)).json.error.code).toBe("DESTINATION_EXISTS");
  expect((await ckpt("repair", VIT.path, out, "--force")).code).toBe(0);
  expect((await ckptJson<ErrorJson>("repair", VIT.path, join(folder, "out.txt"))).json.error.code).toBe("INVALID_ARGUMENT");
});

it.each([["inspect"], ["scan"], ["hash", "--tensors"], ["audit"]])("takes --limit with ckpt %s", async (...command) => {
  const { code, stdout, stderr } = await ckpt(...command, VIT.path, "--limit", "pickleBytes=1kB", "--limit", "tensors=1000000");
  expect(code).toBe(2);
  expect(stdout + stderr).toContain('over the limit "pickleBytes" of 1000');
});

it("takes --limit with convert and repair", async () => {
  const out = join(await scratch(), "out.pt");
  for (const command of ["convert", "repair"]) {
    const { code, json } = await ckptJson<ErrorJson>(command, VIT.path, out, "--limit", "pickleBytes=1_000");
    expect([code, json.error.code, json.error.details]).toMatchObject([2, "LIMIT_EXCEEDED", { limit: "pickleBytes", allowed: 1000 }]);
  }
});

it.each([
  ["tensor=5", 'There is no limit "tensor"', "--limit tensors=5000000"],
  ["tensors", "needs a number", "--limit tensors=5000000"],
  ["tensors=many", "needs a number", "--limit tensors=5000000"],
  ["gatherBytes=1MB", "is fixed", "ckpt help limits"],
])("refuses --limit %s, and says what there is", async (given, message, advice) => {
  const { code, json } = await ckptJson<ErrorJson>("inspect", VIT.path, "--limit", given);
  expect([code, json.error.code]).toEqual([2, "INVALID_ARGUMENT"]);
  expect(json.error.message).toContain(message);
  expect(json.error.suggestions.join(" ")).toContain(advice);
});

it("lists all limits with their reasons", async () => {
  const [listed, helped] = await Promise.all([ckpt("limits"), ckpt("help", "limits")]);
  expect(listed.stdout).toBe(helped.stdout);
  for (const text of ["pickleBytes", "512 MiB", "treeDepth", "CPython's own recursion limit"]) expect(listed.stdout).toContain(text);
});

describeWithOracle("PyTorch and safetensors open what a repair writes", (oracle) => {
  it("with the values that the undamaged file has", async () => {
    const { file, folder } = await cut(410_000);
    const [torch, plain] = [join(folder, "saved.ckpt"), join(folder, "saved.safetensors")];
    const { json } = await ckptJson<Repaired>("repair", file, torch);
    await ckpt("repair", file, plain);
    const script = `
import torch
from safetensors.torch import load_file
before, after = (torch.load(path, map_location="cpu", weights_only=True) for path in (input["before"], input["after"]))
weights, plain = after["state_dict"], load_file(input["plain"])
states = before["optimizer_states"][0]["state"], after["optimizer_states"][0]["state"]
result = {
  "same": all(torch.equal(value, weights[name]) and torch.equal(value, plain[name]) for name, value in before["state_dict"].items()),
  "names": list(weights) == list(before["state_dict"]),
  "states": all(torch.equal(value, states[0][key][name]) for key, state in states[1].items() for name, value in state.items()),
  "lost": sum(len(state) for state in states[0].values()) - sum(len(state) for state in states[1].values()),
  "epoch": after["epoch"] == before["epoch"] and after["global_step"] == before["global_step"],
}`;
    const result = await oracle.run(script, { input: { before: VIT.path, after: torch, plain } });
    expect(result).toEqual({ same: true, names: true, states: true, lost: json.lost.length, epoch: true });
  });
});
