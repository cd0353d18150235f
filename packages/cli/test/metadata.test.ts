import { createHash } from "node:crypto";
import { copyFile, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bigTorchZip, describeWithOracle, fixture } from "@ckptkit/testkit/node";
import { describe, expect, it } from "vitest";
import { ckpt, ckptJson, type ErrorJson, scratch } from "./ckpt.js";

interface Edited {
  format: string;
  place: string;
  metadata: Record<string, unknown>;
  how: string;
  set: string[];
  removed: string[];
  bytesWritten: number;
}

/** A copy of a fixture that may be changed. */
async function copyOf(file: string): Promise<string> {
  const path = join(await scratch(), file);
  await copyFile(fixture(file).path, path);
  return path;
}

describe("ckpt metadata", () => {
  it("prints and changes the metadata of a torch archive, and keeps them for ckpt inspect", async () => {
    const path = await copyOf("vit-tiny.ckpt");
    expect((await ckpt("metadata", path)).stdout).toContain("no metadata yet");
    const { code, json } = await ckptJson<Edited>("metadata", path, "--set", "run=42", "--set", 'tags=["a"]', "--set", "note=a=b");
    expect([code, json.how, json.set, json.removed]).toEqual([0, "in place", ["run", "tags", "note"], []]);
    expect(json.bytesWritten).toBeLessThan(20_000);
    expect(json.metadata).toEqual({ run: 42, tags: ["a"], note: "a=b" });
    const { json: inspected } = await ckptJson<{ metadata: Record<string, unknown>; findings: unknown[] }>("inspect", path);
    expect([inspected.metadata["anemoi.json"], inspected.findings]).toEqual([json.metadata, []]);
    expect((await ckpt("audit", path)).code).toBe(0);
    const text = await ckpt("metadata", path, "--remove", "run", "--remove", "tags");
    expect(text.stdout).toContain("removed run, tags in place");
  });

  it("keeps texts of safetensors as they are given, takes values from a file, and says what does not fit", async () => {
    const path = await copyOf("st-basic.safetensors");
    const file = join(await scratch(), "values.json");
    await writeFile(file, JSON.stringify({ note: "n".repeat(300), depth: { a: 1 } }));
    const before = await readFile(path);
    const refused = await ckptJson<ErrorJson>("metadata", path, "--set-json", file);
    expect([refused.code, refused.json.error.code]).toEqual([1, "METADATA_NO_ROOM"]);
    expect(await readFile(path)).toEqual(before);
    const { json } = await ckptJson<Edited>("metadata", path, "--set-json", file, "--set", "epoch=10", "--rewrite");
    expect(json).toMatchObject({ how: "rewritten", place: "__metadata__", set: ["note", "depth", "epoch"] });
    expect(json.metadata).toMatchObject({ depth: '{"a":1}', epoch: "10" });
    expect((await ckptJson<Edited>("metadata", path, "--set", "epoch=11")).json.how).toBe("in place");
  });

  it.each([
    [["--set", "novalue"], "KEY=VALUE"],
    [["--set-json", "/nothing.json"], "--set-json"],
    [["--remove", "nothing"], "no key"],
  ])("refuses %j", async (options, words) => {
    const path = await copyOf("st-basic.safetensors");
    const { code, json } = await ckptJson<ErrorJson>("metadata", path, ...options);
    expect([code, json.error.code]).toEqual([2, "INVALID_ARGUMENT"]);
    expect(json.error.message).toContain(words);
  });

  it("tells of a file whose change was cut off, in every command, and puts it back", async () => {
    const path = await copyOf("vit-tiny.ckpt");
    const old = await readFile(path);
    // What a process leaves that is killed between two writes: the journal, and half of the change.
    await ckpt("metadata", path, "--set", `note=${"x".repeat(5000)}`);
    const changed = await readFile(path);
    const start = changed.findIndex((byte, index) => byte !== old[index]);
    const kept = old.subarray(start);
    const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
    const head = {
      ckptkitJournal: 1,
      sizeBefore: old.length,
      sizeAfter: changed.length,
      patches: [{ at: start, bytes: changed.length - start, kept: kept.length }],
      digestBefore: digest(kept),
      digestAfter: digest(changed.subarray(start)),
      witness: { start: start - 100, end: start, digest: digest(old.subarray(start - 100, start)) },
    };
    await writeFile(join(path, "../.vit-tiny.ckpt.ckptkit-journal"), Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), kept]));
    await writeFile(path, Buffer.concat([changed.subarray(0, start + 3000), old.subarray(start + 3000)]));
    for (const command of [["inspect"], ["scan"], ["metadata"], ["metadata", "--set", "a=1"]]) {
      const { json } = await ckptJson<ErrorJson>(...command, path);
      expect(json.error.code).toBe("UNFINISHED_EDIT");
      expect(json.error.suggestions.join(" ")).toContain(`ckpt metadata ${path} --restore`);
    }
    expect((await ckpt("metadata", path, "--restore")).stdout).toContain("as it was before");
    expect(await readFile(path)).toEqual(old);
    expect((await ckptJson<{ restored: string }>("metadata", path, "--restore")).json.restored).toBe("nothing");
  });
});

describeWithOracle("PyTorch, safetensors and zipfile read what ckpt metadata writes", (oracle) => {
  it.each(["vit-tiny.ckpt", "anemoi.ckpt", "lstm.pt"])(
    "an archive of torch, %s: every value as before, every checksum right, the record as anemoi reads it",
    async (file) => {
      const path = await copyOf(file);
      const set = { note: "é\u{1f600}", values: [1, 2.5, null, true], longer: "x".repeat(3000) };
      const values = join(await scratch(), "values.json");
      await writeFile(values, JSON.stringify(set));
      for (const options of [
        ["--set-json", values],
        ["--set", "second=2"],
        ["--remove", "longer"],
      ]) {
        expect((await ckpt("metadata", path, ...options)).code).toBe(0);
        const script = `
import json, os, torch, zipfile
from torch.utils._pytree import tree_leaves
before, after = (torch.load(p, map_location="cpu", weights_only=False) for p in (input["before"], input["after"]))
a, b = tree_leaves(before), tree_leaves(after)
same = len(a) == len(b) and all(torch.equal(x, y) if isinstance(x, torch.Tensor) else x == y for x, y in zip(a, b))
with zipfile.ZipFile(input["after"]) as f:
    bad = f.testzip()
    names = [name for name in f.namelist() if os.path.basename(name) == "anemoi.json"]
    metadata = json.load(f.open(names[0], "r"))
    arrays = {n: f.read(e["path"]).hex() for n, e in metadata.get("supporting_arrays_paths", {}).items()}
with zipfile.ZipFile(input["before"]) as f:
    arrays_before = {n: f.read(e["path"]).hex() for n, e in metadata.get("supporting_arrays_paths", {}).items()}
result = {"same": same, "bad": bad, "names": len(names), "metadata": metadata, "arrays": arrays == arrays_before}
`;
        const result = await oracle.run(script, { input: { before: fixture(file).path, after: path } });
        expect(result, `${file} ${options}`).toMatchObject({ same: true, bad: null, names: 1, arrays: true });
        const { longer, ...short } = set;
        expect(result).toMatchObject({ metadata: options[0] === "--remove" ? { ...short, second: 2 } : { longer } });
      }
    },
  );

  it("an archive to which Python's zipfile has appended since", async () => {
    const path = await copyOf("vit-tiny.ckpt");
    await oracle.run(
      `
import json, zipfile
with zipfile.ZipFile(input, "a") as f:
    root = f.namelist()[0].split("/")[0]
    f.writestr(f"{root}/anemoi-metadata/ai-models.json", json.dumps({"nan": float("nan"), "step": 1}))
result = None`,
      { input: path },
    );
    const { json } = await ckptJson<Edited>("metadata", path, "--set", "step=2");
    expect(json.place).toBe("archive/anemoi-metadata/ai-models.json");
    const result = await oracle.run(
      `
import json, math, torch, zipfile
with zipfile.ZipFile(input) as f:
    metadata = json.loads(f.read([n for n in f.namelist() if n.endswith("ai-models.json")][0]))
    f.testzip()
torch.load(input, weights_only=True)
result = [metadata["step"], math.isnan(metadata["nan"])]`,
      { input: path },
    );
    expect(result).toEqual([2, true]);
  });

  it("an archive beyond 4 GiB, of which a few kilobytes are written", async () => {
    const big = await bigTorchZip({ bytes: 5e9 });
    try {
      for (const [options, size] of [
        [["--set", "run=1"], undefined],
        [["--set", `note=${"x".repeat(10_000)}`], undefined],
        [["--remove", "note"], undefined],
      ] as const) {
        const { code, json } = await ckptJson<Edited>("metadata", big.path, ...options);
        expect([code, json.how, size]).toEqual([0, "in place", undefined]);
        expect(json.bytesWritten).toBeLessThan(20_000);
      }
      const result = await oracle.run(
        `
import json, torch, zipfile
state = torch.load(input, mmap=True, weights_only=True)
with zipfile.ZipFile(input) as f:
    info = [i for i in f.infolist() if i.filename.endswith("anemoi.json")][0]
    metadata = json.loads(f.read(info))
result = {"first": [float(t[0]) for t in state.values()], "offset": info.header_offset, "metadata": metadata}`,
        { input: big.path },
      );
      expect(result).toMatchObject({ first: big.tensors.map((_, index) => index + 0.5), metadata: { run: 1 } });
      expect((result as { offset: number }).offset).toBeGreaterThan(4 * 2 ** 30); // as the script gives it
      expect((await stat(big.path)).blocks * 512).toBeLessThan(10_000_000);
      expect((await ckpt("inspect", big.path)).code).toBe(0);
    } finally {
      await big.remove();
    }
  });

  it("safetensors: the metadata, and the bytes of the tensors untouched", async () => {
    const path = await copyOf("st-basic.safetensors");
    await ckpt("metadata", path, "--set", `note=${"é".repeat(400)}`, "--rewrite");
    await ckpt("metadata", path, "--set", "step=2");
    const result = await oracle.run(
      `
import hashlib, struct
from safetensors import safe_open
from safetensors.numpy import load_file
def data(p):
    raw = open(p, "rb").read()
    return hashlib.sha256(raw[8 + struct.unpack("<Q", raw[:8])[0]:]).hexdigest()
with safe_open(input["after"], "numpy") as f:
    metadata = f.metadata()
a, b = load_file(input["before"]), load_file(input["after"])
result = {"metadata": metadata, "same": data(input["before"]) == data(input["after"]), "names": sorted(a) == sorted(b), "equal": all((a[k] == b[k]).all() for k in a)}`,
      { input: { before: fixture("st-basic.safetensors").path, after: path } },
    );
    expect(result).toMatchObject({ same: true, names: true, equal: true, metadata: { note: "é".repeat(400), step: "2" } });
  });
});
