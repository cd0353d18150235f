import { describe, expect, expectTypeOf, it } from "vitest";
import { Catalog, checkConfig, defineConfig, type OwnStage, type PipelineInput, type StagesOf } from "../src/index.js";
import type * as sample from "./sample-stages.js";

type Named<Kind extends string> = Extract<OwnStage, { [key in Kind]: string }>[Kind & keyof Extract<OwnStage, { [key in Kind]: string }>];

describe("types of pipelines in TypeScript", () => {
  it("know the names of all stages, as the catalog gives them", async () => {
    const catalog = await Catalog.load();
    const names = {
      source: ["blob", "http", "huggingface", "local", "mlflow", "s3", "uri"],
      check: ["audit", "checksum", "compatible", "finite", "validate"],
      loader: ["cold_start", "transfer_learning", "warm_start", "weights_only"],
      modifier: ["freezing", "lora", "prune", "quantize"],
      sink: ["report", "save"],
    } as const;
    expectTypeOf<Named<"source">>().toEqualTypeOf<(typeof names.source)[number]>();
    expectTypeOf<Named<"check">>().toEqualTypeOf<(typeof names.check)[number]>();
    expectTypeOf<Named<"loader">>().toEqualTypeOf<(typeof names.loader)[number]>();
    expectTypeOf<Named<"modifier">>().toEqualTypeOf<(typeof names.modifier)[number]>();
    expectTypeOf<Named<"sink">>().toEqualTypeOf<(typeof names.sink)[number]>();
    const listed = Object.keys(names).map((kind) => catalog.list(kind as keyof typeof names).map(({ name }) => name)); // the keys are kinds
    expect(listed).toEqual(Object.values(names));
  });

  it("know options, and refuse what there is not", () => {
    const config = defineConfig({
      maxRetries: 3,
      stages: [
        { source: "s3", url: "s3://bucket/key", as: "encoder" },
        { check: "finite", exclude: ["*.mask"] },
        { loader: "transfer_learning", skipMismatched: true, migrations: [{ stripPrefix: "model" }] },
        { modifier: "freezing", submodulesToFreeze: ["encoder"] },
        { sink: "save", path: "out.safetensors" },
        { _target_: "my-stages#MyCheck", anything: 5 },
        { kind: "check", name: "mine", process: (context) => context },
      ],
    });
    expect(config.stages).toHaveLength(7);
    // @ts-expect-error there is no such stage
    defineConfig({ stages: [{ source: "s4" }] });
    // @ts-expect-error there is no such option
    defineConfig({ stages: [{ source: "local", pth: "x" }] });
    // @ts-expect-error it needs an option
    defineConfig({ stages: [{ modifier: "freezing" }] });
    // @ts-expect-error it is a number
    defineConfig({ maxRetries: "3" });
  });

  it("take stages of other packages", async () => {
    type Mine = StagesOf<typeof sample, "source"> | StagesOf<typeof sample, "loader">;
    expectTypeOf<Mine["path" & keyof Mine]>().not.toBeAny();
    const config = {
      stages: [{ source: "local", path: "x", mode: "eager" }, { loader: "transfer_learning" }],
    } satisfies PipelineInput<Mine>;
    const catalog = await Catalog.load([{ name: "sample", load: () => import("./sample-stages.js") }]);
    expect(checkConfig(config, catalog).stages).toHaveLength(2);
  });
});
