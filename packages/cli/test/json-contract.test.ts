import { expectStatistics, isSpecified } from "@ckptkit/testkit";
import { type Fixture, fixture } from "@ckptkit/testkit/node";
import { describe, expect, it } from "vitest";
import { ckptJson } from "./ckpt.js";

/** One of each container and layout, with views, ties, special numbers and odd names among them. */
const CHOSEN = [
  "vit-tiny.ckpt",
  "legacy-mixed.pt",
  "ties.pt",
  "views.pt",
  "special-numbers.pt",
  "names-odd.pt",
  "st-sharded.safetensors.index.json",
].map((file) => fixture(file));

const specified = (entry: Fixture) => entry.truth.tensors.filter(({ path }) => isSpecified(entry, path));

interface Inspected {
  uri: string;
  format: string;
  layout: string;
  byteLength: number;
  tensors: { path: string; keys: (string | number)[]; name: string; group: string; dtype: string; shape: number[]; byteLength: number }[];
  metadata: Record<string, unknown>;
  findings: unknown[];
  io: { reads: number; bytesRead: number };
}

describe.each(CHOSEN)("--json of $file", (entry) => {
  const { path, truth, format, layout, byteLength } = entry;

  it("lists with inspect what real software says is in it", async () => {
    const { code, json } = await ckptJson<Inspected>("inspect", path);
    expect(code).toBe(0);
    expect(json).toMatchObject({ uri: path, format, layout, findings: [] });
    expect(json.byteLength).toBeGreaterThanOrEqual(byteLength);
    expect(json.metadata).toMatchObject(truth.metadata);
    const listed = json.tensors.filter((tensor) => isSpecified(entry, tensor.path));
    expect(listed.map((tensor) => tensor.keys)).toEqual(specified(entry).map(({ keys }) => keys));
    for (const [index, expected] of specified(entry).entries()) {
      const { sha256: _, byteLength: bytes, path: at, dtype, shape } = expected;
      expect(listed[index]).toMatchObject({ path: at, dtype, shape, ...(bytes !== undefined && { byteLength: bytes }) });
      if (expected.group) expect(listed[index]?.group, at).toBe(expected.group);
      if (expected.name !== undefined) expect(listed[index]?.name, at).toBe(expected.name);
    }
  });

  it("gives with hash --tensors the digests of the tensors' bytes", async () => {
    const { code, json } = await ckptJson<{ uri: string; algorithm: string; tensors: { path: string; digest: string }[] }>(
      "hash",
      "--tensors",
      path,
    );
    expect(code).toBe(0);
    expect(json).toMatchObject({ uri: path, algorithm: "sha256" });
    const digests = json.tensors.filter((tensor) => isSpecified(entry, tensor.path));
    expect(digests).toEqual(
      specified(entry)
        .filter(({ sha256 }) => sha256)
        .map((tensor) => ({ path: tensor.path, digest: tensor.sha256 })),
    );
  });
});

it("tells with inspect where a tensor's bytes are, and that tied tensors share them", async () => {
  const { json } = await ckptJson<{ tensors: { path: string; storage?: { id: string; byteOffset: number; strides: number[] } }[] }>(
    "inspect",
    fixture("ties.pt").path,
  );
  const storages = new Map(json.tensors.map(({ path, storage }) => [path, storage]));
  for (const { path, storage, storageOffset = 0, strides } of fixture("ties.pt").truth.tensors) {
    expect(storages.get(path)?.byteOffset, path).toBe(storageOffset * 4);
    if (strides) expect(storages.get(path)?.strides, path).toEqual(strides);
    for (const other of fixture("ties.pt").truth.tensors) {
      expect(storages.get(path)?.id === storages.get(other.path)?.id, `${path} and ${other.path}`).toBe(storage === other.storage);
    }
  }
});

it("counts with inspect what reached the file, and that is little", async () => {
  const { json } = await ckptJson<Inspected>("inspect", fixture("vit-tiny.ckpt").path);
  expect(json.io.reads).toBeGreaterThan(0);
  expect(json.io.bytesRead).toBeLessThan(fixture("vit-tiny.ckpt").byteLength);
});

it("gives with scan the statistics that torch computes, and exit code 1 for the NaNs among them", async () => {
  const { path, truth } = fixture("special-numbers.pt");
  const { code, json } = await ckptJson<{
    uri: string;
    tensors: (Parameters<typeof expectStatistics>[0] & { path: string; dtype: string })[];
    totals: { tensors: number; nan: number; posInf: number; negInf: number };
    skipped: unknown[];
  }>("scan", path);
  expect(code).toBe(1);
  expect(json.uri).toBe(path);
  expect(json.tensors.map((row) => [row.path, row.dtype])).toEqual(truth.tensors.map((tensor) => [tensor.path, tensor.dtype]));
  for (const [index, row] of json.tensors.entries()) expectStatistics(row, truth.tensors[index] as (typeof truth.tensors)[number]); // as many
  const sum = (field: "nan" | "posInf" | "negInf") => truth.tensors.reduce((total, tensor) => total + (tensor[field] ?? 0), 0);
  expect(json.totals).toMatchObject({ tensors: truth.tensors.length, nan: sum("nan"), posInf: sum("posInf"), negInf: sum("negInf") });
  expect(json.skipped).toEqual([]);
});

it("hashes a whole file as sha256sum does", async () => {
  const { path, sha256, byteLength } = fixture("vit-tiny.ckpt");
  const { json } = await ckptJson("hash", path);
  expect(json).toEqual({ uri: path, algorithm: "sha256", byteLength, digest: sha256 });
});
