import type { Checkpoint } from "@ckptkit/core";
import { loadFixture, loadFolder } from "@ckptkit/testkit/vite";
import { describe, expect, it } from "vitest";
import type { ArrayTruth } from "./arrays.js";
import { openFolder } from "./folders.js";
import { sha256 } from "./truth.js";

const text = new TextDecoder().decode(await loadFixture("zarr.json"));
const { folders } = JSON.parse(text) as { folders: { file: string; tensors: ArrayTruth[] }[] }; // the generator wrote it in this shape
const truthOf = (file: string): ArrayTruth[] => folders.find((entry) => entry.file === file)?.tensors ?? [];

async function expectTruth({ tensors }: Checkpoint, truths: readonly ArrayTruth[]): Promise<void> {
  expect(tensors.map(({ path }) => path).sort()).toEqual(truths.map(({ path }) => path).sort());
  for (const truth of truths) {
    const tensor = tensors.find(({ path }) => path === truth.path);
    if (!tensor) continue;
    expect([tensor.dtype, tensor.shape, tensor.byteLength], truth.path).toEqual([truth.dtype, truth.shape, truth.byteLength]);
    expect(await sha256(await tensor.read()), truth.path).toBe(truth.sha256);
  }
}

describe("a folder of zarr 2", async () => {
  const files = await loadFolder("zarr-v2.zip");
  const truths = truthOf("zarr-v2.zip");

  it("opens from its consolidated metadata, without being listed", async () => {
    const { checkpoint, counts } = openFolder(files, ".zmetadata", { isListed: false });
    const opened = await checkpoint;
    expect([opened.format, opened.layout, opened.findings]).toEqual(["zarr", "state_dict", []]);
    expect([...counts.keys()]).toEqual([".zmetadata"]);
    await expectTruth(opened, truths);
    expect(opened.metadata).toEqual({ zarr_format: 2, attributes: { "": { about: "größe" }, "model/layer": { kind: "linear" } } });
  });

  it("opens from the metadata of each array, as far as it can be listed", async () => {
    const separate = new Map([...files].filter(([path]) => path !== ".zmetadata"));
    const opened = await openFolder(separate, ".zgroup").checkpoint;
    expect(opened.findings).toEqual([]);
    await expectTruth(opened, truths);
    const unlisted = await openFolder(separate, ".zgroup", { isListed: false }).checkpoint;
    expect([unlisted.tensors, unlisted.findings.map(({ rule }) => rule)]).toEqual([[], ["zarr-not-listed"]]);
  });

  it("gives any part of any array", async () => {
    const { tensors } = await openFolder(files, ".zmetadata").checkpoint;
    for (const tensor of tensors) {
      const item = tensor.byteLength / Math.max(1, tensor.elementCount);
      const whole = await tensor.read();
      for (const [from, to] of [
        [1, 4],
        [0, 1],
        [3, 17],
        [tensor.elementCount - 1, tensor.elementCount],
      ] as const) {
        if (from < 0 || to > tensor.elementCount) continue;
        const part = new Uint8Array((to - from) * item);
        await tensor.readInto(part, from * item);
        expect(part, `${tensor.path} [${from}, ${to})`).toEqual(whole.subarray(from * item, to * item));
      }
    }
  });

  it("closes every file that it opened", async () => {
    const { checkpoint, open } = openFolder(files, ".zmetadata");
    const opened = await checkpoint;
    for (const tensor of opened.tensors) await tensor.read();
    expect(open.size).toBeLessThan(20);
    await opened.close();
    expect([...open]).toEqual([]);
  });
});

it("one array by itself is a tensor without a name", async () => {
  const files = await loadFolder("zarr-v2-single.zip");
  await expectTruth(await openFolder(files, ".zarray").checkpoint, truthOf("zarr-v2-single.zip"));
});

it("arrays that are not read are named with the reason, and do not hide the others", async () => {
  const opened = await openFolder(await loadFolder("zarr-v2-odd.zip"), ".zgroup").checkpoint;
  expect(Object.fromEntries(opened.findings.map(({ at, message }) => [at, /stored with (.*), which/.exec(message)?.[1]]))).toEqual({
    bz2: 'the codec "bz2"',
    delta: 'the codec "delta"',
    records: expect.stringMatching(/^the data type \[\["a"/),
  });
  const good = opened.tensors.find(({ path }) => path === "good");
  expect(await good?.read()).toEqual(new Uint8Array(Int32Array.of(0, 1, 2, 3).buffer));
  const snappy = opened.tensors.find(({ path }) => path === "snappy");
  expect(await snappy?.read()).toEqual(new Uint8Array(Int32Array.from({ length: 600 }, (_, index) => index).buffer));
});

it("metadata with numbers that JSON does not have are read, and malformed ones end at once", async () => {
  const files = new Map(await loadFolder("zarr-v2-single.zip"));
  const text = new TextDecoder().decode(files.get(".zarray")).replace('"fill_value": 0.0', '"fill_value": NaN');
  const array = await openFolder(files.set(".zarray", new TextEncoder().encode(text)), ".zarray").checkpoint;
  expect(array.tensors).toHaveLength(1);
  const open = `{"zarr_format": 2, "a": "${"\\\\x".repeat(50_000)}`;
  await expect(openFolder(new Map([[".zgroup", new TextEncoder().encode(open)]]), ".zgroup").checkpoint).rejects.toMatchObject({
    code: "ZARR_CORRUPT",
  });
  const deep = `{"zarr_format": 2, "metadata": {".zattrs": ${"[".repeat(100_000)}${"]".repeat(100_000)}}}`;
  await expect(openFolder(new Map([[".zmetadata", new TextEncoder().encode(deep)]]), ".zmetadata").checkpoint).rejects.toMatchObject({
    code: "ZARR_CORRUPT",
  });
});
