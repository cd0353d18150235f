import { CheckpointConfigError } from "@ckptkit/core";
import { CheckpointSource, STAGE_KINDS } from "@ckptkit/core/pipeline";
import { describe, expect, it } from "vitest";
import { Catalog, discoverStages, OWN_MODULES, type StageModule, simpleName } from "../src/index.js";
import * as sample from "./sample-stages.js";

const module: StageModule = { name: "sample/stages", load: async () => sample };
const failing: StageModule = {
  name: "broken/stages",
  load: async () => {
    throw new Error("Cannot find module 'left-pad'");
  },
};

const refusal = (work: () => unknown): CheckpointConfigError => {
  try {
    work();
  } catch (error) {
    if (error instanceof CheckpointConfigError) return error;
    throw error;
  }
  throw new Error("Nothing was refused.");
};

describe("simple names", () => {
  it.each([
    ["S3Source", "source", "s3"],
    ["HttpSource", "source", "http"],
    ["HTTPSource", "source", "http"],
    ["TransferLearningLoader", "loader", "transfer_learning"],
    ["WarmStartStrategy", "loader", "warm_start"],
    ["WeightsOnlyLoadingStrategy", "loader", "weights_only"],
    ["FreezingModifier", "modifier", "freezing"],
    ["HTTPHeadCheck", "check", "http_head"],
    ["Sha256Check", "check", "sha256"],
    ["SaveSink", "sink", "save"],
    ["Sink", "sink", "sink"],
    ["Source", "source", "source"],
    ["LocalLoader", "source", "local_loader"],
  ] as const)("%s of kind %s is %s", (className, kind, name) => {
    expect(simpleName(className, kind)).toBe(name);
  });
});

describe("discovery", () => {
  it("finds concrete stages by what a module exports, and passes over all that is abstract or no stage", () => {
    expect(discoverStages(sample, "sample").map(({ kind, name, className }) => [kind, name, className])).toEqual([
      ["check", "http_head", "HTTPHead"],
      ["source", "local", "LocalSource"],
      ["loader", "transfer_learning", "TransferLearningLoader"],
    ]);
  });

  it("finds stages that stand on another copy of the base classes, as bundled packages do", () => {
    abstract class OtherBase {
      static readonly stageKind = "check";
      readonly kind = "check";
    }
    class OtherCheck extends OtherBase {
      process(): void {}
    }
    expect(discoverStages({ OtherBase, OtherCheck }, "other").map(({ name }) => name)).toEqual(["other"]);
  });

  it("takes names from exports, so that minified classes keep theirs", async () => {
    const { build } = await Catalog.load([
      { name: "minified", load: async () => ({ MirrorSource: class a extends sample.LocalSource {} }) },
    ]);
    const stage = build({ source: "mirror", path: "x" });
    expect(stage.name).toBe("MirrorSource");
    expect(String(stage)).toBe("MirrorSource()");
  });

  it("passes over stages of kinds that do not exist", () => {
    class OddBase {
      static readonly stageKind = "teapot";
      readonly kind = "teapot";
    }
    class Odd extends OddBase {
      process(): void {}
    }
    expect(discoverStages({ Odd }, "odd")).toEqual([]);
  });
});

describe("the catalog of this project", () => {
  it("describes every stage in one line and knows its options", async () => {
    const catalog = await Catalog.load();
    expect(catalog.notices).toEqual([]);
    for (const { name, description, schema, kind } of catalog.list()) {
      expect(description, `${kind} ${name}`).toMatch(/^[A-Z][^\n]{9,139}$/);
      expect(schema, `${kind} ${name} has a schema`).toBeDefined();
      for (const [option, { description: text }] of Object.entries(schema?.shape ?? {}))
        expect(text, `${kind} ${name}: ${option}`).toBeTruthy();
    }
  });

  it("lists kind by kind, by name", async () => {
    const list = (await Catalog.load()).list();
    const keys = list.map(({ kind, name }) => `${STAGE_KINDS.indexOf(kind)} ${name}`);
    expect(keys).toEqual([...keys].sort());
    expect(new Set(keys).size).toBe(keys.length);
  });

  it("loads each module once", async () => {
    let loads = 0;
    const counted: StageModule = { name: "counted", load: async () => ({ ...sample, loads: ++loads }) };
    await Promise.all([Catalog.load([counted]), Catalog.load([counted])]);
    await Catalog.load([counted]);
    expect(loads).toBe(1);
  });

  it("tries a module again that could not be loaded", async () => {
    let loads = 0;
    const shy: StageModule = {
      name: "shy",
      load: async () => {
        if (loads++ === 0) throw new Error("not yet");
        return sample;
      },
    };
    expect((await Catalog.load([shy])).list()).toEqual([]);
    expect((await Catalog.load([shy])).list()).toHaveLength(3);
  });

  it("passes over modules that cannot be loaded, and says why", async () => {
    const catalog = await Catalog.load([failing, module]);
    expect(catalog.list("source").map(({ name }) => name)).toEqual(["local"]);
    expect(catalog.notices).toEqual([
      { level: "warning", message: "The module broken/stages could not be loaded: Cannot find module 'left-pad'" },
    ]);
  });

  it("tells when a stage hides another of its name, which its target still reaches", async () => {
    class LocalSource extends sample.LocalSource {
      static override readonly description = "Another one";
    }
    const catalog = await Catalog.load([module, { name: "other", load: async () => ({ LocalSource }) }]);
    expect(catalog.notices.map(({ message }) => message)).toEqual([
      'The source "local" of sample/stages hides the one of other; name that one by _target_: other#LocalSource.',
    ]);
    expect(catalog.get("source", "local").stage).toBe(sample.LocalSource);
    expect(catalog.resolve({ _target_: "other#LocalSource" }).entry.stage).toBe(LocalSource);
  });
});

describe("looking a stage up", () => {
  it("tells of an unknown name what there is, what was meant, and how it is used", async () => {
    const catalog = await Catalog.load([module]);
    const { code, message, details, suggestions } = refusal(() => catalog.get("source", "locl"));
    expect(code).toBe("UNKNOWN_STAGE");
    expect(message).toBe('There is no source "locl". Did you mean "local"? Available: local.');
    expect(details).toMatchObject({ available: ["local"], didYouMean: "local" });
    expect(suggestions).toEqual(["local: Opens a file of this machine", "For example: - source: local"]);
  });

  it("suggests nothing that is not near", async () => {
    const catalog = await Catalog.load([module]);
    expect(refusal(() => catalog.get("source", "completely-else")).message).not.toContain("Did you mean");
  });

  it("tells when the name is one of another kind", async () => {
    const catalog = await Catalog.load([module]);
    expect(refusal(() => catalog.get("check", "local")).suggestions).toContain('"local" is a source: - source: local');
  });

  it("has a message of its own for a kind without any stage, with the reasons", async () => {
    const catalog = await Catalog.load([failing]);
    const { message, suggestions } = refusal(() => catalog.get("sink", "save"));
    expect(message).toBe('There is no sink "save": no module that was loaded has any sink.');
    expect(suggestions).toEqual([expect.stringContaining("left-pad")]);
  });

  it("finds the source that handles an address", async () => {
    const catalog = await Catalog.load([module]);
    expect(catalog.sourceFor("a/model.ckpt")?.name).toBe("local");
    expect(catalog.sourceFor("ftp://host/model.ckpt")).toBeUndefined();
  });

  it.each([
    ["sample/stages#LocalSource", "LocalSource"],
    ["some.python.package.LocalSource", "LocalSource"],
    ["LocalSource", "LocalSource"],
  ])("takes the target %s", async (target, className) => {
    const catalog = await Catalog.load([module]);
    expect(catalog.resolve({ _target_: target, path: "x" })).toMatchObject({ entry: { className }, options: { path: "x" } });
  });

  it.each([
    [{ _target_: "sample/stages#LocalSauce" }, 'There is no stage "sample/stages#LocalSauce". Did you mean "sample/stages#LocalSource"?'],
    [{ _target_: "elsewhere#LocalSource" }, 'There is no stage "elsewhere#LocalSource". Did you mean "sample/stages#LocalSource"?'],
    [{ path: "x" }, "A stage is named by one of source, check, loader, modifier, sink, _target_; found path."],
    [{}, "A stage is named by one of source, check, loader, modifier, sink, _target_; found nothing."],
    [{ sorce: "local" }, 'A stage is named by one of source, check, loader, modifier, sink, _target_; found sorce. Did you mean "source"?'],
    [
      { source: "local", check: "x" },
      "A stage is named by one of source, check, loader, modifier, sink, _target_; found source and check.",
    ],
    [{ source: 5 }, "The name of a stage was expected, found 5."],
    [{ source: "" }, "The name of a stage was expected, found an empty string."],
  ])("refuses %j", async (config, message) => {
    const catalog = await Catalog.load([module]);
    expect(refusal(() => catalog.build(config)).message).toBe(message);
  });

  it("makes stages with their options", async () => {
    const { build } = await Catalog.load([module]);
    const stage = build({ source: "local", path: "x", max_retries: 5 });
    expect(stage).toBeInstanceOf(CheckpointSource);
    expect(stage).toMatchObject({ kind: "source", name: "LocalSource", options: { path: "x", maxRetries: 5 } });
  });
});

it("has the modules of all kinds", () => {
  expect(OWN_MODULES.map(({ name }) => name)).toEqual(
    ["sources", "checks", "loading", "modifiers", "sinks"].map((folder) => `@ckptkit/stages/${folder}`),
  );
});
