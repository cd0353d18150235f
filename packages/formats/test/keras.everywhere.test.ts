import { memorySource } from "@ckptkit/core";
import { loadFixture } from "@ckptkit/testkit/vite";
import { describe, expect, it } from "vitest";
import { openCheckpoint } from "../src/index.js";
import { hdf5Files, openHdf5Fixture } from "./hdf5-files.js";
import { buildZip } from "./zip-builder.js";

const files = await hdf5Files();
const truthOf = (file: string) => {
  const truth = files.find((entry) => entry.file === file);
  if (!truth) throw new Error(`There is no truth about ${file}.`);
  return truth;
};
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

describe("HDF5 files of Keras", () => {
  it.each(["keras-model.h5", "keras-old.weights.h5"])(
    "%s: weights come in the order of the layers, under the names that Keras gives",
    async (file) => {
      const { names = {}, tensors: truths } = truthOf(file);
      const { tensors } = await openHdf5Fixture(file);
      const named = tensors.map(({ keys, name }) => [keys.join("/"), name]);
      expect(named.slice(0, Object.keys(names).length)).toEqual(Object.entries(names));
      expect(tensors).toHaveLength(truths.length);
      expect(new Set(tensors.map(({ name }) => name)).size).toBe(tensors.length);
    },
  );

  it("tells the optimizer's state from the model's weights", async () => {
    const { tensors } = await openHdf5Fixture("keras-model.h5");
    const groups = [...new Set(tensors.map(({ keys, group }) => `${keys[0]}: ${group}`))];
    expect(groups).toEqual(["model_weights: model", "optimizer_weights: optimizer"]);
    const zipped = await openHdf5Fixture("keras-model.keras");
    expect([...new Set(zipped.tensors.map(({ keys, group }) => `${keys[0]}: ${group}`))]).toEqual([
      "layers: model",
      "optimizer: optimizer",
    ]);
  });

  it("whose attributes are damaged still give all weights, under their paths", async () => {
    const bytes = await loadFixture("keras-model.h5");
    const at = new TextDecoder("latin1").decode(bytes).indexOf("GCOL");
    bytes[at] = 0; // the heap that holds attributes of varying length
    const { findings, metadata, tensors } = await openCheckpoint(memorySource(bytes, "model.h5"));
    expect(new Set(findings.map(({ rule }) => rule))).toEqual(new Set(["hdf5-damaged-attribute"]));
    expect(metadata).not.toHaveProperty("model_config");
    const whole = await openHdf5Fixture("keras-model.h5");
    expect(tensors.map(({ path }) => path).sort()).toEqual(whole.tensors.map(({ path }) => path).sort());
    expect(tensors.map(({ name, keys }) => name === keys.join("/"))).not.toContain(false);
  });

  it("gives configurations as JSON, and says which Keras wrote them", async () => {
    const { config, root } = truthOf("keras-model.h5");
    const { metadata, tree } = await openHdf5Fixture("keras-model.h5");
    expect(metadata.model_config).toEqual(config);
    expect(metadata.training_config).toEqual(JSON.parse(String(root.training_config)));
    expect([metadata.keras_version, metadata.backend]).toEqual([root.keras_version, root.backend]);
    expect(metadata).not.toHaveProperty("layer_names");
    expect(JSON.stringify((tree as { attributes: unknown }).attributes)).toContain('["class_name","Functional"]'); // a map with attributes
  });
});

describe(".keras models", () => {
  it.each(["keras-model.keras", "keras-deflated.keras"])(
    "%s: texts stand in the metadata, weights have the names of the file",
    async (file) => {
      const { config, about, attributes } = truthOf(file);
      const { metadata, tensors } = await openHdf5Fixture(file);
      expect(metadata).toMatchObject({ ...about, model_config: config, attributes });
      const names = tensors.map(({ name }) => name).filter((name) => name.startsWith("optimizer/"));
      expect(names.slice(0, 3)).toEqual(["optimizer/vars/0", "optimizer/vars/1", "optimizer/vars/2"]);
      expect(names.at(-1)).toBe(`optimizer/vars/${names.length - 1}`);
    },
  );

  it("bfloat16, which HDF5 has no name for, keeps its own", async () => {
    const { tensors } = await openHdf5Fixture("keras-bfloat16.weights.h5");
    expect(new Set(tensors.map(({ dtype }) => dtype))).toEqual(new Set(["BF16"]));
  });

  it("without weights is a model without tensors, and says so", async () => {
    const source = buildZip([
      { name: "metadata.json", data: text('{"keras_version": "3.0.0"}') },
      { name: "config.json", data: text('{"class_name": "Sequential", "__proto__": 1}') },
      { name: "assets/vocabulary.txt", data: text("a") },
    ]);
    const { format, findings, metadata, tensors } = await openCheckpoint(source);
    expect([format, tensors.length, findings.map(({ rule }) => rule)]).toEqual(["keras", 0, ["keras-no-weights"]]);
    expect(metadata).toMatchObject({ keras_version: "3.0.0", assets: ["assets/vocabulary.txt"] });
    expect(Object.entries(metadata.model_config ?? {})).toContainEqual(["__proto__", 1]);
  });

  it("with a configuration that is no JSON, or nests without end, still gives its weights", async () => {
    const weights = await loadFixture("keras-bfloat16.weights.h5");
    for (const config of ["{", "[".repeat(100_000) + "]".repeat(100_000)]) {
      const source = buildZip([
        { name: "metadata.json", data: text("{}") },
        { name: "config.json", data: text(config) },
        { name: "model.weights.h5", data: weights },
      ]);
      const { findings, tensors } = await openCheckpoint(source);
      expect(findings.map(({ rule, at }) => [rule, at])).toEqual([["keras-config", "config.json"]]);
      expect(tensors).toHaveLength(truthOf("keras-bfloat16.weights.h5").tensors.length);
      expect((await tensors[0]?.read())?.length).toBe(tensors[0]?.byteLength);
    }
  });

  it("an archive of something else is refused, whatever its suffix", async () => {
    const source = buildZip([{ name: "readme.txt", data: text("nothing") }]);
    await expect(openCheckpoint({ ...source, name: "model.keras", size: source.size })).rejects.toThrow(/is a zip archive, but/);
    await expect(openCheckpoint(memorySource(text("\x89HDF\r\n\x1a\n").slice(), "m.h5"))).rejects.toThrow();
  });
});
