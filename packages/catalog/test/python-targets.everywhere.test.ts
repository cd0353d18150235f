import { Catalog, checkConfig, pipelineFromConfig } from "@ckptkit/catalog";
import { describe, expect, it } from "vitest";

const catalog = await Catalog.load();

describe("configuration that comes from Python", () => {
  it.each([
    ["anemoi.training.checkpoint.sources.HTTPSource", "http"],
    ["anemoi.training.checkpoint.sources.S3Source", "s3"],
    ["anemoi.training.checkpoint.modifiers.FreezingModifierStage", "freezing"],
    ["anemoi.training.checkpoint.loading.WeightsOnlyLoader", "weights_only"],
  ])("finds the stage of %s", (target, name) => {
    expect(catalog.resolve({ _target_: target }).entry.name).toBe(name);
  });
});

describe("the order of stages that configuration describes", () => {
  it("gives no warning of sources and loaders that stand beside each other on purpose", () => {
    const config = checkConfig(
      {
        stages: [
          { source: "local", path: "a.ckpt", as: "a" },
          { source: "local", path: "b.ckpt", as: "b" },
          { loader: "weights_only", from: "a", into: "encoder" },
          { loader: "weights_only", from: "b", into: "decoder" },
        ],
      },
      catalog,
    );
    expect(pipelineFromConfig(config, catalog).notices.filter(({ level }) => level === "warning")).toEqual([]);
  });

  it("warns of two sources of which the last one wins", () => {
    const config = checkConfig(
      {
        stages: [
          { source: "local", path: "a.ckpt" },
          { source: "local", path: "b.ckpt" },
        ],
      },
      catalog,
    );
    expect(pipelineFromConfig(config, catalog).notices.map(({ message }) => message)).toContainEqual(expect.stringContaining("2 sources"));
  });
});
