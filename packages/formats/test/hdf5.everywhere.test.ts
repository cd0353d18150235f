import { memorySource } from "@ckptkit/core";
import { loadFixture } from "@ckptkit/testkit/vite";
import { describe, expect, it } from "vitest";
import { openCheckpointSync } from "../src/index.js";
import { hdf5Files, openHdf5Fixture } from "./hdf5-files.js";
import { sha256 } from "./truth.js";

const files = await hdf5Files();

/** Findings of files that hold more than tensors, or what is not read. */
const NO_NUMBERS = ["hdf5-no-numbers", "hdf5-no-numbers", "hdf5-no-numbers", "hdf5-no-numbers"];
const LINKS = ["hdf5-external-link", "hdf5-same-group", "hdf5-same-group"];
const FINDINGS: Readonly<Record<string, readonly string[]>> = {
  "h5-earliest.h5": NO_NUMBERS,
  "h5-latest.h5": NO_NUMBERS,
  "h5-links-earliest.h5": LINKS,
  "h5-links-latest.h5": LINKS,
  "h5-not-read.h5": ["hdf5-external-data", "hdf5-not-read", "hdf5-not-read"],
};

describe.each(files.map((entry) => [entry.file, entry] as const))("%s", (file, { format, byteLength, tensors: truths }) => {
  it("gives every tensor with the bytes that h5py gives", async () => {
    const checkpoint = await openHdf5Fixture(file);
    expect([checkpoint.format, checkpoint.layout, checkpoint.byteLength]).toEqual([format, "state_dict", byteLength]);
    expect(checkpoint.findings.map(({ rule }) => rule)).toEqual(FINDINGS[file] ?? []);
    const byPath = new Map(checkpoint.tensors.map((tensor) => [tensor.path, tensor]));
    expect([...byPath.keys()].sort()).toEqual(truths.map(({ path }) => path).sort());
    for (const truth of truths) {
      const tensor = byPath.get(truth.path);
      expect([tensor?.keys, tensor?.dtype, tensor?.shape, tensor?.byteLength], truth.path).toEqual([
        truth.keys,
        truth.dtype,
        truth.shape,
        truth.byteLength,
      ]);
      if (tensor && truth.sha256) expect(await sha256(await tensor.read()), truth.path).toBe(truth.sha256);
    }
    await checkpoint.close();
  });

  it("gives the same bytes in pieces, wherever these begin and end", async () => {
    for (const tensor of (await openHdf5Fixture(file)).tensors) {
      if (tensor.byteLength > 20_000 || truths.some(({ path, sha256: digest }) => path === tensor.path && digest === null)) continue;
      const whole = await tensor.read();
      const item = Math.max(1, tensor.byteLength / Math.max(1, tensor.elementCount));
      for (const elements of [1, 7]) {
        const again = new Uint8Array(whole.length);
        for (let at = 0; at < whole.length; at += elements * item)
          await tensor.readInto(again.subarray(at, Math.min(whole.length, at + elements * item)), at);
        expect(again, tensor.path).toEqual(whole);
      }
    }
  });

  it("opens without waiting, unless the weights are compressed within an archive", async () => {
    const source = memorySource(await loadFixture(file), file);
    if (file === "keras-deflated.keras") expect(() => openCheckpointSync(source)).toThrow(/cannot be done without waiting: inflating/);
    else expect(openCheckpointSync(source).tensors).toHaveLength(truths.length);
  });
});

describe.each(["h5-earliest.h5", "h5-latest.h5"])("%s", (file) => {
  it("gives attributes of every type as h5py reads them", async () => {
    const truth = files.find((entry) => entry.file === file);
    const { attributes, ...root } = (await openHdf5Fixture(file)).metadata;
    expect(root).toEqual(truth?.root);
    expect(attributes).toEqual(truth?.attributes);
  });

  it("shows what is no tensor: its type and shape, and where links lead", async () => {
    const { tree } = await openHdf5Fixture(file);
    const entries = (tree as { entries: [string, { type?: string; attributes?: { entries: unknown[] } }][] }).entries; // a map, as every file gives
    const shown = Object.fromEntries(entries.map(([name, { type, attributes }]) => [name, [type, attributes?.entries]]));
    const shape = { kind: "list", type: "tuple", items: [2] };
    expect(shown.texts).toEqual([
      "hdf5.Dataset",
      [
        ["dtype", "text of 2 bytes"],
        ["shape", shape],
      ],
    ]);
    expect(shown.records?.[1]).toContainEqual(["dtype", "records (a, b)"]);
    expect(shown.nothing?.[1]).toContainEqual(["shape", null]);
    expect(shown.soft).toEqual(["hdf5.SoftLink", [["path", "/float32"]]]);
  });

  it("datasets with two names share one storage", async () => {
    const { tensors } = await openHdf5Fixture(file);
    const [one, other] = ["float32", "tied"].map((name) => tensors.find(({ path }) => path === name));
    expect(one?.storage).toBeDefined();
    expect(one?.storage).toBe(other?.storage);
  });
});

describe.each(["h5-links-earliest.h5", "h5-links-latest.h5"])("%s", (file) => {
  it("members come by their names, or as they were made where the group keeps that; circles of links lead nowhere", async () => {
    const { tensors, findings } = await openHdf5Fixture(file);
    const names = tensors.map(({ path }) => path);
    const wide = names.filter((path) => path.startsWith("wide."));
    expect(wide).toHaveLength(120);
    expect(wide).toEqual([...wide].sort());
    expect(names.filter((path) => path.startsWith("ordered."))).toEqual(["ordered.zebra", "ordered.ape", "ordered.monkey"]);
    expect(findings.map(({ at }) => at)).toEqual(["elsewhere", "wide again", "wide/back"]);
    expect(findings.map(({ message }) => message)).toEqual([
      '"elsewhere" leads into the file "other.h5", which was not opened.',
      '"wide again" is the group "/wide" under another name: its arrays are listed there only.',
      '"wide/back" is the group "/" under another name: its arrays are listed there only.',
    ]);
  });
});
