import { CheckpointError } from "@ckptkit/core";
import { codeOf } from "@ckptkit/testkit";
import { loadFixture, loadFolder } from "@ckptkit/testkit/vite";
import { describe, expect, it } from "vitest";
import { fileListFolder, folderOf, listCheckpoints, openCheckpoint } from "../src/index.js";

const INDEX = "st-sharded.safetensors.index.json";
const SHARDS = [1, 2, 3].map((number) => `st-sharded-0000${number}-of-00003.safetensors`);

/** A fixture as a page has it; with a path, as an input with `webkitdirectory` gives it. */
async function fileOf(name: string, path?: string): Promise<File> {
  const file = new File([await loadFixture(name)], name);
  if (path !== undefined) Object.defineProperty(file, "webkitRelativePath", { value: path });
  return file;
}

/** All files of the sharded fixture, in a folder. */
const shardedFiles = (folder = "model"): Promise<File[]> =>
  Promise.all([INDEX, ...SHARDS].map((name) => fileOf(name, `${folder}/${name}`)));

const errorOf = async (promise: Promise<unknown>): Promise<CheckpointError> => {
  const error: unknown = await promise.catch((reason: unknown) => reason);
  if (!(error instanceof CheckpointError)) throw new Error(`Expected a CheckpointError, not ${String(error)}`);
  return error;
};

describe("openCheckpoint", () => {
  it("opens a file by its content", async () => {
    const checkpoint = await openCheckpoint(await fileOf("vit-tiny.ckpt"));
    expect(checkpoint.layout).toBe("lightning");
    expect(checkpoint.uri).toBe("vit-tiny.ckpt");
    await checkpoint.close();
  });

  it("opens a Blob, and a list of one file", async () => {
    const blob = new Blob([await loadFixture("st-basic.safetensors")]);
    const list = [await fileOf("st-basic.safetensors")];
    expect((await openCheckpoint(blob)).format).toBe("safetensors");
    expect((await openCheckpoint(list)).format).toBe("safetensors");
    const [file] = list;
    if (file) expect((await openCheckpoint({ path: "a/b.safetensors", file })).uri).toBe("a/b.safetensors");
  });

  it("opens a sharded checkpoint from a folder, from its files, and by any shard", async () => {
    const all = await shardedFiles();
    const loose = await Promise.all([INDEX, ...SHARDS].map((name) => fileOf(name)));
    for (const opened of [
      await openCheckpoint(all),
      await openCheckpoint(loose),
      await openCheckpoint(all, { path: SHARDS[1] }),
      await openCheckpoint(fileListFolder(all), { path: INDEX }),
    ]) {
      expect(opened.format).toBe("safetensors-sharded");
      const bytes = await opened.tensors[0]?.read();
      expect(bytes).toBeDefined();
      await opened.close();
    }
  });

  it("opens a shard by itself as what it is", async () => {
    expect((await openCheckpoint(await fileOf(SHARDS[0] ?? ""))).format).toBe("safetensors");
  });

  it("says which shards a lone index needs, and to bring the whole folder", async () => {
    const error = await errorOf(openCheckpoint(await fileOf(INDEX)));
    expect(error.code).toBe("SAFETENSORS_INDEX");
    expect(error.message).toContain("st-sharded-0000");
    expect(error.suggestions.join(" ")).toContain("whole folder");
  });

  it("names the shard that a folder lacks", async () => {
    const error = await errorOf(openCheckpoint((await shardedFiles()).filter(({ name }) => name !== SHARDS[1])));
    expect(error.code).toBe("SAFETENSORS_INDEX");
    expect(error.message).toContain(SHARDS[1]);
  });

  it("does not choose between several checkpoints, but names them", async () => {
    const files = [...(await shardedFiles("all/sharded")), await fileOf("vit-tiny.ckpt", "all/vit-tiny.ckpt")];
    const error = await errorOf(openCheckpoint(files));
    expect(error.code).toBe("SEVERAL_CHECKPOINTS");
    expect(error.details.checkpoints).toMatchObject([{ path: `sharded/${INDEX}` }, { path: "vit-tiny.ckpt" }]);
    expect((await openCheckpoint(files, { path: "vit-tiny.ckpt" })).layout).toBe("lightning");
  });

  it("finds the only checkpoint among other files", async () => {
    const files = [await fileOf("vit-tiny.ckpt", "run/checkpoints/last.ckpt"), new File(["lr: 0.1"], "hparams.yaml")];
    expect((await openCheckpoint(files)).layout).toBe("lightning");
  });

  it("says what is wrong with folders that hold no checkpoint, and with paths that they lack", async () => {
    const notes = [new File(["a"], "notes.txt"), new File(["b"], "more.txt")];
    expect(await codeOf(openCheckpoint(notes))).toBe("NOT_FOUND");
    expect(await codeOf(openCheckpoint(notes, { path: "model.ckpt" }))).toBe("NOT_FOUND");
    expect(await codeOf(openCheckpoint([]))).toBe("INVALID_ARGUMENT");
    // @ts-expect-error: what plain JavaScript may pass
    expect(await codeOf(openCheckpoint(undefined))).toBe("INVALID_ARGUMENT");
    // @ts-expect-error: the same
    expect(await codeOf(openCheckpoint(42))).toBe("INVALID_ARGUMENT");
  });

  it("does not take for an index what is none", async () => {
    for (const text of ["{", "[]", '{"weight_map": 3}', '{"weight_map": {"a": 7}}', "null"]) {
      const files = [new File([text], "x.index.json"), await fileOf("vit-tiny.ckpt")];
      const found = await listCheckpoints(folderOf(files));
      expect(found.at(-1)?.path).toBe("vit-tiny.ckpt");
    }
  });
});

describe("listCheckpoints", () => {
  it("gives indexes with the bytes of their shards, then files from the largest on", async () => {
    const files = [await fileOf("st-basic.safetensors", "m/a.safetensors"), ...(await shardedFiles("m")), new File([], "m/empty.bin")];
    const found = await listCheckpoints(folderOf(files.slice(0, 5)));
    const total = files.slice(1, 5).reduce((sum, { size }) => sum + size, 0);
    expect(found).toEqual([
      { path: INDEX, byteLength: total, shards: SHARDS, missing: [] },
      { path: "a.safetensors", byteLength: files[0]?.size, shards: [], missing: [] },
    ]);
  });

  it("tells which shards are missing", async () => {
    const [found] = await listCheckpoints(folderOf((await shardedFiles()).slice(0, 3)));
    expect(found?.missing).toEqual([SHARDS[2]]);
  });
});

describe("the folder of a distributed checkpoint", () => {
  const files = () => Promise.all([".metadata", "__0_0.distcp"].map(async (name) => fileOf(`dcp-alone${name}`, `run/step-100/${name}`)));

  it("is one checkpoint, and is opened as a whole, also by one of its files", async () => {
    const folder = folderOf(await files());
    expect(await listCheckpoints(folder)).toMatchObject([{ path: "step-100/.metadata", shards: ["step-100/__0_0.distcp"], missing: [] }]);
    for (const path of [undefined, "step-100/.metadata", "step-100/__0_0.distcp"]) {
      const { format, tensors } = await openCheckpoint(folder, { path });
      expect([format, tensors.map(({ name }) => name)]).toEqual(["torch-dcp", ["0.weight", "0.bias", "1.weight", "1.bias"]]);
    }
  });
});

describe("the folder of a TensorFlow checkpoint", () => {
  const named = (...names: readonly string[]) => Promise.all(names.map((name) => fileOf(name, `variables/${name}`)));
  const shards = [0, 1, 2].map((number) => `tf-types.data-0000${number}-of-00003`);

  it("is one checkpoint, and is opened as a whole, also by one of its files", async () => {
    const folder = folderOf(await named("tf-types.index", ...shards));
    expect(await listCheckpoints(folder)).toMatchObject([{ path: "tf-types.index", shards, missing: [] }]);
    for (const path of [undefined, "tf-types.index", shards[2]]) {
      const { format, tensors, findings } = await openCheckpoint(folder, { path });
      expect([format, tensors.length, findings]).toEqual(["tf-bundle", 27, []]);
    }
  });

  it("tells which data files are missing, and opens by the text that names the latest", async () => {
    const [found] = await listCheckpoints(folderOf(await named("tf-types.index", ...shards.slice(0, 2))));
    expect(found?.missing).toEqual([shards[2]]);
    const files = await named("tf-slots-1.index", "tf-slots-1.data-00000-of-00001", "tf-slots.checkpoint");
    expect((await openCheckpoint(folderOf(files), { path: "tf-slots.checkpoint" })).tensors).toHaveLength(6);
  });
});

describe("folders of arrays", () => {
  const filesOf = async (zip: string, folder: string) =>
    [...(await loadFolder(zip))].map(([path, bytes]) =>
      Object.assign(new File([bytes], path.slice(path.lastIndexOf("/") + 1)), { path: `${folder}/${path}` }),
    );
  const folder = async (zip: string, left: readonly string[] = []) =>
    folderOf((await filesOf(zip, "run")).filter(({ path }) => !left.includes(path)).map((file) => ({ path: file.path, file })));

  it.each([
    ["orbax-default.zip", "_METADATA", "orbax", 5],
    ["orbax-plain.zip", "_METADATA", "orbax", 5],
    ["ocdbt-numbered.zip", "manifest.ocdbt", "ocdbt", 1],
    ["zarr-v2.zip", ".zmetadata", "zarr", 20],
    ["zarr-v3.zip", "zarr.json", "zarr", 18],
  ] as const)("%s is one checkpoint, and is opened as a whole, also by one of its files", async (zip, main, format, count) => {
    const opened = await folder(zip);
    const found = await listCheckpoints(opened);
    expect(found.map(({ path, missing }) => [path, missing])).toEqual([[main, []]]);
    for (const path of [undefined, main, found[0]?.shards.find((file) => !/METADATA$|json$|ocdbt$|\.z\w+$/.test(file))]) {
      const checkpoint = await openCheckpoint(opened, { path });
      expect([checkpoint.format, checkpoint.tensors.length, checkpoint.findings]).toEqual([format, count, []]);
      await checkpoint.tensors.at(-1)?.read();
      await checkpoint.close();
    }
  });

  it("a group without consolidated metadata is looked through", async () => {
    const { tensors, findings } = await openCheckpoint(await folder("zarr-v2.zip", ["run/.zmetadata"]));
    expect([tensors.length, findings]).toEqual([20, []]);
  });

  it("each step of a manager is a checkpoint", async () => {
    const opened = await folder("orbax-manager.zip");
    expect((await listCheckpoints(opened)).map(({ path }) => path).sort()).toEqual(["10/_CHECKPOINT_METADATA", "5/_CHECKPOINT_METADATA"]);
    expect((await openCheckpoint(opened, { path: "5/_CHECKPOINT_METADATA" })).metadata).toMatchObject({ info: { loss: 1.25 } });
  });
});

describe("the folder of an ONNX model with data files", () => {
  const names = ["onnx-external.onnx", "onnx-external.weights", "onnx-external.alone.bin"];
  const files = () => Promise.all(names.map((name) => fileOf(name, `model/${name}`)));

  it("is one checkpoint, and is opened as a whole, also by one of its files", async () => {
    const folder = folderOf(await files());
    expect(await listCheckpoints(folder)).toMatchObject([{ path: names[0], shards: [names[2], names[1]], missing: [] }]);
    for (const path of [undefined, names[0], names[2]]) {
      const { format, tensors } = await openCheckpoint(folder, { path });
      expect([format, (await tensors[0]?.read())?.length]).toEqual(["onnx", 96]);
    }
  });
});
