import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { isDType } from "@ckptkit/core";
import { isSpecified } from "@ckptkit/testkit";
import { corpus, describeWithOracle, fixture, fixtures, readFixture } from "@ckptkit/testkit/node";
import { describe, expect, it } from "vitest";

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

describe("the fixtures", () => {
  it.each(fixtures().map((entry) => [entry.file, entry] as const))("%s is the file that the manifest describes", async (file, entry) => {
    const bytes = await readFixture(file);
    expect(bytes.length).toBe(entry.byteLength);
    expect(sha256(bytes)).toBe(entry.sha256);
    expect(entry.note).not.toBe("");
    for (const part of entry.parts ?? []) expect((await readFixture(part)).length).toBeGreaterThan(0);
  });

  it("are all in the manifest, and small together", () => {
    const folder = dirname(fixture("vit-tiny.ckpt").path);
    // Each kind of files has a manifest of its own, which lists them, with what belongs to them.
    type Listed = string | { file?: string; name?: string; parts?: string[]; beside?: string[] };
    type Manifest = { fixtures?: Listed[]; files?: Listed[]; folders?: Listed[] };
    const known = new Set<string>();
    const there = readdirSync(folder);
    for (const name of there.filter((file) => file.endsWith(".json"))) {
      const { fixtures: made = [], files = [], folders = [] } = JSON.parse(readFileSync(join(folder, name), "utf8")) as Manifest;
      const listed = [...made, ...files, ...folders];
      if (listed.length > 0) known.add(name);
      for (const one of listed) {
        if (typeof one === "string") known.add(one);
        else for (const file of [one.file, one.name, ...(one.parts ?? []), ...(one.beside ?? [])]) if (file !== undefined) known.add(file);
      }
    }
    expect(there.filter((file) => !known.has(file))).toEqual([]);
    expect(there.reduce((sum, file) => sum + statSync(join(folder, file)).size, 0)).toBeLessThan(3_500_000);
  });

  it("have truths that fit together: paths, dtypes, sizes", () => {
    for (const { file, truth } of fixtures()) {
      for (const tensor of truth.tensors) {
        expect(tensor.path, file).toBe(tensor.keys.join("."));
        expect(isDType(tensor.dtype), `${file} ${tensor.dtype}`).toBe(true);
        if (tensor.sha256 !== undefined && tensor.byteLength === 0) expect(tensor.sha256).toBe(sha256(new Uint8Array(0)));
      }
    }
  });

  it("can be asked for by format and by name", () => {
    expect(fixtures("safetensors").every((entry) => entry.format === "safetensors")).toBe(true);
    expect(fixtures("safetensors", "torch-legacy").length).toBeGreaterThan(fixtures("safetensors").length);
    expect(() => fixture("no-such.pt")).toThrow("There are: vit-tiny.ckpt");
  });

  it("leave some paths open", () => {
    const entry = fixture("odd-layouts.pt");
    expect(isSpecified(entry, "coo")).toBe(false);
    expect(isSpecified(entry, "coo.indices")).toBe(false);
    expect(isSpecified(entry, "dense")).toBe(true);
  });
});

describe.skipIf(!corpus())("the corpus", () => {
  it("is there as its manifest says", () => {
    const safetensors = corpus("safetensors") ?? [];
    expect(safetensors.length).toBeGreaterThan(0);
    for (const entry of safetensors) expect(statSync(entry.path).size).toBe(entry.size);
  });
});

const RELOAD = `
import hashlib, sys
sys.path.insert(0, input["generate"])
sys.dont_write_bytecode = True
import pathlib, torch
import trained, tensors, values, containers, safetensors_files
from main import load
from registry import FIXTURES
from truth import truth_of

result = {}
for fixture in FIXTURES:
    if fixture.file in input["files"]:
        loaded, _ = load(fixture, pathlib.Path(input["folder"]) / fixture.file)
        rows, _ = truth_of(loaded, skip=fixture.skip)
        result[fixture.file] = [[row["path"], row.get("sha256")] for row in rows]
`;

describeWithOracle("the reference readers", (oracle) => {
  it("give the truth of every fixture", async () => {
    const chosen = fixtures().filter((entry) => entry.bytesWritten !== false && entry.file !== "st-packed-dtypes.safetensors");
    const folder = dirname(fixture("vit-tiny.ckpt").path);
    const input = { generate: join(folder, "../generate"), folder, files: chosen.map((entry) => entry.file) };
    const found = await oracle.run(RELOAD, { input });
    // A tensor of the meta device has no bytes, and so no digest on either side.
    const expected = Object.fromEntries(chosen.map(({ file, truth }) => [file, truth.tensors.map((t) => [t.path, t.sha256 ?? null])]));
    expect(found).toEqual(expected);
  });
});
