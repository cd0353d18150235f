import { type Checkpoint, CheckpointSourceError, getEntry, memorySource, watchCrc } from "@ckptkit/core";
import { codeOf } from "@ckptkit/testkit";
import { jsKernels } from "@ckptkit/wasm/js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openCheckpoint, openCheckpointSync, openTfBundle, openUri, tfBundleReader } from "../src/index.js";
import { sliceKey } from "../src/tf-bundle/slices.js";
import { unsnap } from "../src/tf-bundle/snappy.js";
import { bytesOf, exchangeFiles, openAmong, rulesOf } from "./exchange.js";
import { sha256 } from "./truth.js";

const files = await exchangeFiles("tensorflow.json");
const kernels = jsKernels();
const shard = (prefix: string, number = 0, of = 1): string => `${prefix}.data-0000${number}-of-0000${of}`;
const read = (checkpoint: Checkpoint, path: string): Promise<Uint8Array> => {
  const tensor = checkpoint.tensors.find((one) => one.path === path);
  return tensor ? tensor.read() : Promise.reject(new Error(`There is no ${path}.`));
};

describe.each(files.map((entry) => [entry.file, entry] as const))("%s", (file, { beside, tensors: truths, texts = {} }) => {
  it("gives every tensor and text as TensorFlow does, and its checksum holds", async () => {
    const checkpoint = await openAmong(file, await bytesOf(file, ...beside));
    expect(checkpoint.format).toBe("tf-bundle");
    expect(checkpoint.tensors.map(({ path, dtype, shape, byteLength }) => ({ path, dtype, shape, byteLength }))).toEqual(
      truths.map(({ path, dtype, shape, byteLength }) => ({ path, dtype, shape, byteLength })),
    );
    for (const [index, { path, sha256: digest, name, group }] of truths.entries()) {
      const tensor = checkpoint.tensors[index];
      if (!tensor) continue;
      if (name !== undefined) expect([tensor.name, tensor.group], path).toEqual([name, group]);
      expect(await sha256(await tensor.read()), path).toBe(digest);
      const watch = tensor.storage && watchCrc(tensor.storage, kernels);
      if (path !== "columns") expect(watch, path).toBeDefined();
      await watch?.finish();
    }
    for (const [name, text] of Object.entries(texts)) {
      const value = JSON.stringify(getEntry(checkpoint.tree, name));
      for (const one of typeof text === "string" ? [text] : text) expect(value).toContain(JSON.stringify(one));
    }
    expect(checkpoint.findings.filter(({ severity }) => severity !== "info")).toEqual([]);
    await checkpoint.close();
  });

  it("opens without waiting, and by each of its data files", async () => {
    const all = await bytesOf(file, ...beside);
    const source = (name: string) => memorySource(all.get(name) ?? new Uint8Array(0), name);
    expect(openCheckpointSync(source(file), { openSiblingSync: source }).tensors).toHaveLength(truths.length);
    for (const name of beside) expect((await openAmong(name, all)).tensors, name).toHaveLength(truths.length);
  });
});

describe("what a checkpoint says of itself", () => {
  it("is plain metadata, and the graph of objects in the tree", async () => {
    const { tree, metadata } = await openAmong("tf-objects.index", await bytesOf("tf-objects.index", shard("tf-objects")));
    expect(metadata).toMatchObject({
      data_files: 1,
      byte_order: "little",
      producer: 1,
      "word/.ATTRIBUTES/VARIABLE_VALUE": "重み",
      "words/.ATTRIBUTES/VARIABLE_VALUE": ["größe", "b"],
    });
    const graph = getEntry(tree, "_CHECKPOINTABLE_OBJECT_GRAPH");
    expect(graph).toMatchObject({ kind: "list" });
    expect(JSON.stringify(graph)).toContain('["children",{"kind":"map","type":"dict","entries":[["model",1]');
    const slots = await openAmong("tf-slots-1.index", await bytesOf("tf-slots-1.index", shard("tf-slots-1")));
    expect(slots.metadata).toMatchObject({ slot_variables: 2 });
  });

  it("tells that the checksums of slices along other axes are not checked", async () => {
    const { findings } = await openAmong("tf-names.index", await bytesOf("tf-names.index", shard("tf-names")));
    expect(findings).toEqual([expect.objectContaining({ rule: "tf-slices-unchecked", severity: "info", at: "columns" })]);
  });
});

describe("the files of a checkpoint", () => {
  it("are found from the text that names the latest one", async () => {
    const all = await bytesOf("tf-slots.checkpoint", "tf-slots-1.index", shard("tf-slots-1"));
    const { tensors, uri } = await openAmong("tf-slots.checkpoint", all);
    expect([tensors.length, uri]).toEqual([6, "tf-slots.checkpoint"]);
    all.set("checkpoint", new TextEncoder().encode('model_checkpoint_path: "/home/someone/run/tf-slots-1"\n'));
    expect(rulesOf(await openAmong("checkpoint", all))).toEqual(["tf-absolute-path"]);
    all.set("checkpoint", new TextEncoder().encode('model_checkpoint_path: ".."\n'));
    expect(await codeOf(openAmong("checkpoint", all))).toBe("TF_BUNDLE_CORRUPT");
    all.set("checkpoint", new TextEncoder().encode('model_checkpoint_path: "tf-slots-9"\n'));
    expect(await codeOf(openAmong("checkpoint", all))).toBe("TF_BUNDLE_SHARD");
  });

  it.each([
    ["the folder of a SavedModel", "model", { "model/variables/variables": "tf-objects" }],
    ["its folder of variables", "model/variables/", { "model/variables/variables": "tf-objects" }],
    ["a folder with the text that names the latest", "run", { "run/tf-slots-1": "tf-slots-1", "run/checkpoint": "tf-slots" }],
    ["a folder with nothing else", "alone", { "alone/model.ckpt": "tf-objects" }],
    ["what the names of its files begin with", "run/model.ckpt-7", { "run/model.ckpt-7": "tf-objects" }],
  ])("open by %s", async (_, uri, layout) => {
    const at = new Map<string, Uint8Array>();
    for (const [path, stem] of Object.entries(layout)) {
      const parts = stem === "tf-slots" ? [""] : [".index", ".data-00000-of-00001"];
      for (const end of parts) for (const [, bytes] of await bytesOf(`${stem}${end || ".checkpoint"}`)) at.set(`${path}${end}`, bytes);
    }
    const platform = {
      open: async (path: string) => {
        const bytes = at.get(path);
        if (bytes) return memorySource(bytes, path);
        const isFolder = [...at.keys()].some((name) => name.startsWith(path.endsWith("/") ? path : `${path}/`));
        throw new CheckpointSourceError(isFolder ? "NOT_A_FILE" : "NOT_FOUND", path);
      },
      list: async (path: string) => [...at.keys()].filter((name) => name.startsWith(path)).map((name) => name.slice(path.length)),
    };
    const { format, findings, tensors } = await openUri(platform, uri);
    expect([format, findings]).toEqual(["tf-bundle", []]);
    expect(await tensors[0]?.read()).toHaveLength(tensors[0]?.byteLength ?? -1);
    expect(await codeOf(openUri(platform, "run/ckpt-8"))).toBe("NOT_FOUND");
    for (const end of [".index", ".data-00000-of-00001"]) for (const stem of ["a", "b"]) at.set(`two/${stem}${end}`, new Uint8Array(1));
    expect(await codeOf(openUri(platform, "two"))).toBe("SEVERAL_CHECKPOINTS");
  });

  it("that are not there are told, and reading what they hold is an error", async () => {
    const all = await bytesOf("tf-types.index", shard("tf-types", 0, 3), shard("tf-types", 2, 3));
    const checkpoint = await openAmong("tf-types.index", all);
    expect(checkpoint.findings).toEqual([
      expect.objectContaining({ rule: "tf-missing-shard", severity: "error", at: shard("tf-types", 1, 3) }),
    ]);
    const codes = await Promise.all(checkpoint.tensors.map((tensor) => codeOrNone(tensor.read())));
    expect(new Set(codes)).toEqual(new Set([undefined, "TF_BUNDLE_SHARD"]));
    all.set(shard("tf-types", 1, 3), new Uint8Array(10));
    expect(rulesOf(await openAmong("tf-types.index", all))).toEqual(["tf-truncated-shard"]);
  });

  it("an index alone opens and says where the values are; a data file alone says what is missing", async () => {
    const all = await bytesOf("tf-names.index", shard("tf-names"));
    const source = (name: string) => memorySource(all.get(name) ?? new Uint8Array(0), name);
    const alone = await openCheckpoint(source("tf-names.index"));
    expect(alone.tensors).toHaveLength(8);
    expect(alone.findings[0]).toMatchObject({ rule: "tf-shards", severity: "info" });
    expect(await codeOf(read(alone, "columns"))).toBe("TF_BUNDLE_SHARD");
    const error = await openCheckpoint(source(shard("tf-names"))).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ code: "TF_BUNDLE_SHARD", message: expect.stringContaining('"tf-names.index", was not given') });
    // A name that does not tell what the others are called.
    const nameless = await openCheckpoint(memorySource(all.get("tf-names.index") ?? new Uint8Array(0), "file"));
    expect(rulesOf(nameless)).toContain("tf-shards");
  });
});

describe("damage", () => {
  it("of a tensor's bytes is told by its checksum, of the index and of text as well", async () => {
    const all = await bytesOf("tf-objects.index", shard("tf-objects"));
    const data = (all.get(shard("tf-objects")) ?? new Uint8Array(0)).slice();
    const flipped = (at: number): Uint8Array => data.map((byte, index) => (index === at ? byte ^ 1 : byte));
    const clean = await openAmong("tf-objects.index", all);
    const kernel = clean.tensors.find(({ path }) => path.startsWith("model/kernel/"));
    all.set(shard("tf-objects"), flipped((kernel?.storage?.fileOffset ?? 0) + 5));
    const damaged = await openAmong("tf-objects.index", all);
    const storage = damaged.tensors.find(({ path }) => path === kernel?.path)?.storage;
    await expect(storage && watchCrc(storage, kernels)?.finish()).rejects.toMatchObject({
      code: "CRC_MISMATCH",
      message: expect.stringContaining("CRC-32C"),
    });
    const text = new TextDecoder("latin1").decode(data).indexOf("VARIABLE_VALUE");
    all.set(shard("tf-objects"), flipped(text));
    const { findings, tensors } = await openAmong("tf-objects.index", all);
    expect(findings).toEqual([expect.objectContaining({ rule: "crc-mismatch", at: "_CHECKPOINTABLE_OBJECT_GRAPH" })]);
    expect(tensors).toHaveLength(clean.tensors.length);
    const index = (all.get("tf-objects.index") ?? new Uint8Array(0)).slice();
    index[20] = (index[20] ?? 0) ^ 1;
    all.set("tf-objects.index", index);
    expect(await codeOf(openAmong("tf-objects.index", all))).toBe("TF_BUNDLE_CORRUPT");
  });

  it("in rows of a variable that is stored in slices shows in the checksum of the whole", async () => {
    const all = await bytesOf("tf-names.index", shard("tf-names"));
    const clean = await read(await openAmong("tf-names.index", all), "layer/rows");
    const data = (all.get(shard("tf-names")) ?? new Uint8Array(0)).slice();
    const at = data.findIndex((_, index) => clean.slice(40, 60).every((byte, offset) => data[index + offset] === byte));
    data[at] = (data[at] ?? 0) ^ 1;
    all.set(shard("tf-names"), data);
    const storage = (await openAmong("tf-names.index", all)).tensors.find(({ path }) => path === "layer/rows")?.storage;
    await expect(storage && watchCrc(storage, kernels)?.finish()).rejects.toMatchObject({ code: "CRC_MISMATCH" });
  });
});

describe("parts of the format", () => {
  it("keys of slices are as TensorFlow orders them", () => {
    const hex = (text: string): string => [...text].map((char) => char.charCodeAt(0).toString(16).padStart(2, "0")).join(" ");
    // Worked out by hand from ordered_code.cc: a name with both bytes that are escaped, starts of one, two and three bytes, and all of an axis.
    expect(hex(sliceKey("a\0\xffb", { starts: [63, 64, 8192, 0], lengths: [1, 8191, 5, undefined] }))).toBe(
      "00 61 00 ff ff 00 62 00 01 01 04 bf 81 c0 40 df ff e0 20 00 85 80 7f",
    );
  });

  it("blocks of Snappy give what was compressed, or nothing", () => {
    const text = (bytes: Uint8Array | undefined): string | undefined => bytes && new TextDecoder().decode(bytes);
    // 12 bytes: "ab" as they are, then a copy of ten from two bytes back.
    expect(text(unsnap(Uint8Array.of(12, 4, 97, 98, 0x19, 2)))).toBe("ababababab".slice(0, 12).padEnd(12, "ab"));
    expect(unsnap(Uint8Array.of(12, 4, 97, 98, 0x19, 3))).toBeUndefined(); // from before the start
    expect(unsnap(Uint8Array.of(13, 4, 97, 98, 0x19, 2))).toBeUndefined(); // too short
    expect(unsnap(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f, 4, 97, 98))).toBeUndefined(); // declares 4 GiB
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => (unsnap(bytes)?.length ?? 0) <= 22 * bytes.length));
  });

  it("other files are not taken for a checkpoint", async () => {
    const names = ["lstm.pt", "protocol-4.pt", "st-basic.safetensors", "gguf-types.gguf", "np-stored.npz", "onnx-types.onnx"];
    for (const [name, head] of await bytesOf(...names)) expect(tfBundleReader.matches({ head, size: head.length, name }), name).toBe(false);
    expect(tfBundleReader.matches({ head: new Uint8Array(1000), size: 1000, name: "zeros.index" })).toBe(false);
    const error = await openTfBundle(memorySource(new Uint8Array(100), "zeros.index")).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ code: "TF_BUNDLE_CORRUPT", message: expect.stringContaining("it does not end as one") });
  });
});

/** The code of the error of a promise; undefined where it has none. */
async function codeOrNone(promise: Promise<unknown>): Promise<string | undefined> {
  return promise.then(
    () => undefined,
    () => codeOf(promise),
  );
}
