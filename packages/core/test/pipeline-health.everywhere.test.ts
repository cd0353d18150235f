import { describe, expect, it } from "vitest";
import {
  CheckpointContext,
  CheckpointPipeline,
  checkComposition,
  checkConfiguration,
  checkEnvironment,
  validatePipelineHealth,
} from "../src/pipeline/index.js";
import { fakeModel, smallCheckpoint, stateful, TestCheck, TestLoader, TestModifier, TestSource } from "./pipeline-parts.js";

const told = (...stages: Parameters<typeof checkComposition>[0]): string[] =>
  checkComposition(stages).map(({ level, message }) => `${level}: ${message}`);

describe("the composition of a pipeline", () => {
  it("is fine as source, loader, modifier", () => {
    expect(told(new TestSource(), new TestCheck(), new TestLoader(), new TestModifier())).toEqual([]);
  });

  it("warns of no stages", () => {
    expect(told()).toEqual([expect.stringMatching(/^warning: .*no stages/)]);
    expect(new CheckpointPipeline().notices).toHaveLength(1);
  });

  it("warns of a source after a loader and names both", () => {
    expect(told(new TestLoader(), new TestSource())).toEqual([
      expect.stringMatching(/^warning: .*TestSource \(stage 1\).*TestLoader \(stage 0\)/),
    ]);
  });

  it("warns of a modifier before the last loader", () => {
    expect(told(new TestSource(), new TestModifier(), new TestLoader())).toEqual([
      expect.stringMatching(/^warning: .*TestModifier \(stage 1\)/),
    ]);
  });

  it("warns of several loaders and of several sources", () => {
    expect(told(new TestSource(), new TestSource(), new TestLoader(), new TestLoader())).toEqual([
      expect.stringMatching(/^warning: .*2 loaders.*may conflict/),
      expect.stringMatching(/^warning: .*2 sources.*one after another/),
    ]);
  });

  it("does not warn of sources and loaders that fill different parts", () => {
    expect(told(new TestSource("a"), new TestSource("b"), new TestLoader("encoder"), new TestLoader("decoder"))).toEqual([]);
    expect(told(new TestSource("a"), new TestSource("a"), new TestLoader())).toEqual([expect.stringContaining("2 sources")]);
  });

  it("suggests what may be missing", () => {
    expect(told(new TestLoader())).toEqual([expect.stringMatching(/^info: .*loader but no source/)]);
    expect(told(new TestSource())).toEqual([expect.stringMatching(/^info: .*source but no loader/)]);
    expect(told(new TestModifier())).toEqual([expect.stringMatching(/^info: .*modifier but neither/)]);
  });
});

describe("checks before a run", () => {
  it("look at what the engine offers", () => {
    expect(checkEnvironment()).toMatchObject({ status: "ok", issues: [], info: { wasmSimd: true } });
  });

  it("look at what the context lacks for the stages", () => {
    const stages = [new TestSource(), new TestModifier()];
    expect(checkConfiguration(new CheckpointContext(), stages)).toMatchObject({
      status: "warning",
      warnings: [expect.stringContaining("platform"), expect.stringContaining("no model")],
      info: { stages: 2, hasModel: false },
    });
    expect(checkConfiguration(new CheckpointContext({ optimizer: stateful() }), []).warnings).toEqual([
      expect.stringContaining("optimizer"),
    ]);
  });
});

describe("the check after a run", () => {
  const initialized = () => Object.assign(fakeModel(), { weightsInitialized: true });

  it("passes a run that ended well", async () => {
    const context = await new CheckpointPipeline([new TestSource(), new TestLoader()]).execute(
      new CheckpointContext({ model: fakeModel() }),
    );
    expect(validatePipelineHealth(context)).toMatchObject({ status: "ok", issues: [], info: { hasModel: true, hasCheckpoint: true } });
  });

  it("lists every issue: failed stages, errors before the run, weights that were not loaded, a checkpoint that is not there", () => {
    const context = new CheckpointContext({
      model: fakeModel(),
      metadata: { stage_0_A: "failed: x", stage_1_B: "completed", validation_environment_status: "error", source_type: "local" },
    });
    const { status, issues } = validatePipelineHealth(context, { raiseOnError: false });
    expect(status).toBe("error");
    expect(issues).toEqual([
      "stage_0_A failed: x",
      expect.stringContaining("environment"),
      expect.stringContaining("weights were never loaded"),
      expect.stringContaining("no checkpoint"),
    ]);
    expect(() => validatePipelineHealth(context)).toThrow(expect.objectContaining({ code: "PIPELINE_UNHEALTHY", details: { issues } }));
  });

  it("takes a named checkpoint for one", () => {
    const context = new CheckpointContext({ model: initialized(), metadata: { source_type: "local" } }).withCheckpoint(
      smallCheckpoint(),
      "encoder",
    );
    expect(validatePipelineHealth(context).status).toBe("ok");
  });

  it("warns of what does not go together", () => {
    expect(validatePipelineHealth(new CheckpointContext({ model: initialized(), scheduler: stateful() }))).toMatchObject({
      status: "warning",
      issues: [],
    });
  });
});
