import { type Checkpoint, getEntry } from "@ckptkit/core";
import { loadFixture, loadFolder } from "@ckptkit/testkit/vite";
import { describe, expect, it } from "vitest";
import type { ArrayTruth } from "./arrays.js";
import { type FolderFiles, openFolder } from "./folders.js";
import { sha256 } from "./truth.js";

interface Truth extends ArrayTruth {
  readonly group?: string;
  readonly name?: string;
}

interface FolderTruth {
  readonly file: string;
  readonly tensors: readonly Truth[];
  readonly values?: Readonly<Record<string, unknown>>;
  readonly steps?: readonly { readonly step: number; readonly tensors: readonly Truth[] }[];
}

const { folders } = JSON.parse(new TextDecoder().decode(await loadFixture("orbax.json"))) as { folders: FolderTruth[] }; // the generator wrote it in this shape
const truthOf = (file: string): FolderTruth => folders.find((entry) => entry.file === file) ?? { file, tensors: [] };

async function expectTruth({ tensors }: Checkpoint, truths: readonly Truth[]): Promise<void> {
  expect(tensors.map(({ path }) => path).sort()).toEqual(truths.map(({ path }) => path).sort());
  for (const truth of truths) {
    const tensor = tensors.find(({ path }) => path === truth.path);
    if (!tensor) continue;
    const { dtype, shape, byteLength } = truth;
    expect(tensor, truth.path).toMatchObject({
      dtype,
      shape,
      byteLength,
      name: truth.name ?? truth.path,
      group: truth.group ?? tensor.group,
    });
    expect(await sha256(await tensor.read()), truth.path).toBe(truth.sha256);
  }
}

const without = (files: FolderFiles, ...left: readonly string[]): FolderFiles =>
  new Map([...files].filter(([path]) => !left.includes(path)));

describe.each(["orbax-default.zip", "orbax-plain.zip", "orbax-zarr3.zip"])("%s", async (file) => {
  const files = await loadFolder(file);
  const { tensors, values } = truthOf(file);

  it.each(["_METADATA", "_CHECKPOINT_METADATA"])("gives by %s what Orbax restores, without being listed", async (main) => {
    const { checkpoint, open } = openFolder(files, main, { isListed: false });
    const opened = await checkpoint;
    expect([opened.format, opened.findings]).toEqual(["orbax", []]);
    await expectTruth(opened, tensors);
    if (values) expect(opened.metadata).toMatchObject({ ...values, nothing: null, empty: {} });
    await opened.close();
    expect([...open]).toEqual([]);
  });

  it("reads no tensor when it opens", async () => {
    const { checkpoint, counts } = openFolder(files, "_METADATA");
    await checkpoint;
    const read = [...counts.values()].reduce((sum, { bytesRead }) => sum + bytesRead, 0);
    expect(read).toBeLessThan(20_000);
  });
});

it("Python's numbers keep their kind", async () => {
  const { tree } = await openFolder(await loadFolder("orbax-default.zip"), "_METADATA").checkpoint;
  expect([getEntry(tree, "step"), getEntry(tree, "rate"), getEntry(tree, "name")]).toEqual([1200, 0.25, "größe"]);
});

describe("a step of a CheckpointManager", async () => {
  const files = await loadFolder("orbax-manager.zip");

  it.each(truthOf("orbax-manager.zip").steps ?? [])("$step has its state, and its JSON among the metadata", async ({ step, tensors }) => {
    const opened = await openFolder(files, `${step}/_CHECKPOINT_METADATA`).checkpoint;
    expect(opened.findings).toEqual([]);
    await expectTruth(opened, tensors);
    expect(opened.metadata).toMatchObject({ info: { loss: step / 4, tags: ["a"] }, orbax: { init_timestamp_nsecs: expect.any(Number) } });
  });
});

describe("an OCDBT database", () => {
  it.each(["ocdbt-merged.zip", "ocdbt-deep.zip", "ocdbt-numbered.zip"])("%s gives its arrays", async (file) => {
    const { checkpoint, open } = openFolder(await loadFolder(file), "manifest.ocdbt");
    const opened = await checkpoint;
    expect([opened.format, opened.findings]).toEqual(["ocdbt", []]);
    await expectTruth(opened, truthOf(file).tensors);
    await opened.close();
    expect([...open]).toEqual([]);
  });

  it("with numbered manifests needs to be listed, and says so", async () => {
    const { checkpoint } = openFolder(await loadFolder("ocdbt-numbered.zip"), "manifest.ocdbt", { isListed: false });
    await expect(checkpoint).rejects.toMatchObject({ code: "OCDBT_CORRUPT", message: expect.stringContaining("does not list its files") });
  });

  it("that Orbax describes is opened as Orbax would", async () => {
    const opened = await openFolder(await loadFolder("orbax-default.zip"), "manifest.ocdbt").checkpoint;
    expect(opened.format).toBe("orbax");
    await expectTruth(opened, truthOf("orbax-default.zip").tensors);
  });

  it("whose process databases were never merged is read from these", async () => {
    const files = without(await loadFolder("orbax-default.zip"), "manifest.ocdbt");
    const opened = await openFolder(files, "_METADATA").checkpoint;
    expect(opened.findings.map(({ rule }) => rule)).toEqual(["orbax-not-merged"]);
    await expectTruth(opened, truthOf("orbax-default.zip").tensors);
  });

  it("that lacks a data file says which", async () => {
    const files = await loadFolder("orbax-default.zip");
    const data = [...files.keys()].find((path) => path.startsWith("d/")) ?? "";
    const { findings, tensors } = await openFolder(without(files, data), "_METADATA").checkpoint;
    expect(tensors).toEqual([]);
    expect(new Set(findings.map(({ rule }) => rule))).toEqual(new Set(["orbax-bad-array"]));
    expect(findings[0]?.message).toContain(`${data} is no good part of an OCDBT database: the file is missing`);
  });

  it("that was changed by one bit is told by its checksum", async () => {
    const files = new Map(await loadFolder("ocdbt-merged.zip"));
    const manifest = Uint8Array.from(files.get("manifest.ocdbt") ?? []);
    manifest[40] = (manifest[40] ?? 0) ^ 4;
    files.set("manifest.ocdbt", manifest);
    await expect(openFolder(files, "manifest.ocdbt").checkpoint).rejects.toMatchObject({
      code: "OCDBT_CORRUPT",
      message: expect.stringMatching(/its CRC-32C is [0-9a-f]{8}, where [0-9a-f]{8} was recorded/),
    });
  });
});

it("an array that the tree names and that is not there is a finding", async () => {
  const files = [...(await loadFolder("orbax-plain.zip"))].filter(([path]) => !path.startsWith("params.norm.scale/"));
  const { findings, tensors } = await openFolder(new Map(files), "_METADATA").checkpoint;
  expect(findings).toMatchObject([{ rule: "orbax-missing-array", at: "params.norm.scale" }]);
  expect(tensors).toHaveLength(4);
});

describe("zarr 3", async () => {
  const files = await loadFolder("zarr-v3.zip");
  const truth = truthOf("zarr-v3.zip").tensors;

  it("opens from consolidated metadata: codecs, shards, transpositions, fill values", async () => {
    const { checkpoint, counts } = openFolder(files, "zarr.json", { isListed: false });
    const opened = await checkpoint;
    expect([...counts.keys()]).toEqual(["zarr.json"]);
    expect([opened.format, opened.findings]).toEqual(["zarr", []]);
    await expectTruth(opened, truth);
    expect(opened.metadata).toEqual({ zarr_format: 3, attributes: { "": { about: "größe" }, model: { kind: "linear" } } });
  });

  it("opens by listing, and one array by itself", async () => {
    const root = JSON.parse(new TextDecoder().decode(files.get("zarr.json"))) as Record<string, unknown>; // an object, as it opened above
    const { consolidated_metadata: _, ...plain } = root;
    const listed = new Map(files).set("zarr.json", new TextEncoder().encode(JSON.stringify(plain)));
    await expectTruth(await openFolder(listed, "zarr.json").checkpoint, truth);
    const one = await openFolder(files, "model/half/zarr.json").checkpoint;
    expect(await sha256((await one.tensors[0]?.read()) ?? new Uint8Array())).toBe(truth.find(({ path }) => path === "model.half")?.sha256);
  });

  it("gives any part of any array", async () => {
    const { tensors } = await openFolder(files, "zarr.json").checkpoint;
    for (const tensor of tensors) {
      const item = tensor.byteLength / Math.max(1, tensor.elementCount);
      const whole = await tensor.read();
      for (const [from, to] of [
        [1, 4],
        [3, 17],
        [tensor.elementCount - 1, tensor.elementCount],
      ] as const) {
        if (to > tensor.elementCount) continue;
        const part = new Uint8Array((to - from) * item);
        await tensor.readInto(part, from * item);
        expect(part, `${tensor.path} [${from}, ${to})`).toEqual(whole.subarray(from * item, to * item));
      }
    }
  });
});
