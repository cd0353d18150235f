import { memorySource } from "@ckptkit/core";
import { loadFixture } from "@ckptkit/testkit/vite";
import { describe, expect, it } from "vitest";
import { auditSource } from "../src/audit/index.js";
import { ascii, audit, rulesOf, zip } from "./hostile.js";

const auditFixture = async (file: string) => auditSource(memorySource(await loadFixture(file), file));

/** A `.keras` archive with this configuration and real weights. */
const keras = async (config: unknown) =>
  audit(
    zip([
      { name: "metadata.json", data: ascii('{"keras_version": "3.0.0"}') },
      { name: "config.json", data: ascii(typeof config === "string" ? config : JSON.stringify(config)) },
      { name: "model.weights.h5", data: await loadFixture("keras-bfloat16.weights.h5") },
    ]),
    "model.keras",
  );

const layer = (module: string | null, className: string, more = {}) => ({
  module: "keras",
  class_name: "Sequential",
  config: { layers: [{ module, class_name: className, config: {}, ...more }] },
});

describe("models of Keras", () => {
  it.each(["keras-model.h5", "keras-old.weights.h5", "keras-model.keras", "keras-deflated.keras", "keras-bfloat16.weights.h5"])(
    "that hold parts of Keras only are clean: %s",
    async (file) => {
      const { verdict, reason, findings } = await auditFixture(file);
      expect([verdict, reason, findings]).toEqual(["clean", "It holds data only: nothing would be imported or called.", []]);
    },
  );

  it("with a Lambda layer are dangerous, wherever the configuration stands", async () => {
    const real = await auditFixture("keras-lambda.h5");
    expect([real.verdict, rulesOf(real)]).toEqual(["dangerous", ["keras-lambda"]]);
    for (const config of [
      layer("keras.layers", "Lambda"),
      layer(null, "Lambda"),
      JSON.stringify(layer(null, "Lambda")).replace("Lambda", "\\u004cambda"),
    ])
      expect(rulesOf(await keras(config))).toEqual(["keras-lambda"]);
    const nested = await keras({
      class_name: "Sequential",
      config: { a: { function: { class_name: "__lambda__", config: { value: "4wAAAA==" } } } },
    });
    expect(nested.verdict).toBe("dangerous");
  });

  it.each([
    ["os", "system"],
    ["builtins", "exec"],
    ["keras.utils", "get_file"],
    ["keras.models", "load_model"],
    ["keras.layers", "TorchModuleWrapper"],
    ["keras.layers", "TFSMLayer"],
  ])("that would have %s.%s loaded are dangerous, and the name is listed", async (module, name) => {
    const { verdict, globals, reason } = await keras(layer(module, name));
    expect([verdict, globals.map((one) => [one.module, one.name, one.verdict])]).toEqual(["dangerous", [[module, name, "dangerous"]]]);
    expect(reason).toContain(`${module}.${name}`);
  });

  it("that name a function of a module are judged by that function", async () => {
    const { verdict, globals } = await keras(layer("os", "function", { config: "system" }));
    expect([verdict, globals.map(({ module, name }) => `${module}.${name}`)]).toEqual(["dangerous", ["os.system"]]);
    expect((await keras(layer("builtins", "function", { config: "relu" }))).verdict).toBe("clean");
    expect((await keras(layer("keras.losses", "function", { config: "mse" }))).verdict).toBe("clean");
  });

  it("with layers of the user's own are unknown", async () => {
    const { verdict, globals } = await keras(layer(null, "MyLayer", { registered_name: "My package>MyLayer" }));
    expect([verdict, globals.map(({ module, name }) => `${module}.${name}`)]).toEqual(["unknown", ["custom_objects.MyLayer"]]);
    expect((await keras(layer("my_program.layers", "MyLayer"))).verdict).toBe("unknown");
  });

  it("are never clean when they cannot be read", async () => {
    expect(await keras("{")).toMatchObject({ verdict: "inconclusive" });
    const deep = `{"class_name": "Sequential", "a": ${"[".repeat(50_000)}{"class_name": "Lambda"}${"]".repeat(50_000)}}`;
    expect((await keras(deep)).verdict).toBe("dangerous");
    const bytes = await loadFixture("keras-model.h5");
    expect((await audit(bytes.slice(0, bytes.length - 100), "model.h5")).verdict).toBe("inconclusive");
    expect((await audit(bytes.slice(0, 600), "model.h5")).verdict).toBe("inconclusive");
  });

  it("and HDF5 files that reach into other files are suspicious", async () => {
    const links = await auditFixture("h5-links-latest.h5");
    expect([links.verdict, rulesOf(links)]).toEqual(["suspicious", ["hdf5-external-link", "hdf5-same-group"]]);
    const odd = await auditFixture("h5-not-read.h5");
    expect([odd.verdict, rulesOf(odd)]).toEqual(["suspicious", ["hdf5-external-data", "hdf5-not-read"]]);
  });

  it("a Lambda layer in a file that is damaged is found all the same", async () => {
    const bytes = await loadFixture("keras-lambda.h5");
    bytes.fill(0, 96, 104); // where the root's header stands
    const { verdict, findings } = await audit(bytes, "model.h5");
    expect([verdict, findings.map(({ rule }) => rule)]).toEqual(["dangerous", ["keras-lambda", "reader-refused"]]);
  });
});
