import { describe, expect, it } from "vitest";
import { CheckpointConfigError, CheckpointError, CheckpointLoadError, CheckpointValidationError } from "../src/index.js";
import { CheckpointContext, CheckpointPipeline, type PipelineEvent, type StageLike } from "../src/pipeline/index.js";
import { fakeModel, TestCheck, TestLoader, TestModifier, TestSink, TestSource } from "./pipeline-parts.js";

const failing = (error: unknown): TestCheck =>
  new TestCheck(() => {
    throw error;
  });

/** What a promise rejects with. */
const rejection = async (promise: Promise<unknown>): Promise<unknown> => {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ("error" in outcome) return outcome.error;
  throw new Error(`Expected a rejection, found ${String(outcome.value)}.`);
};

describe("CheckpointPipeline", () => {
  it("runs its stages in order and records how each of them ended", async () => {
    const order: string[] = [];
    const step = (name: string): TestCheck =>
      new TestCheck((context) => {
        order.push(name);
        return context.withMetadata({ [name]: true });
      });
    const { metadata } = await new CheckpointPipeline([step("a"), step("b")]).execute(new CheckpointContext());
    expect(order).toEqual(["a", "b"]);
    expect(metadata).toMatchObject({ a: true, b: true, stage_0_TestCheck: "completed", stage_1_TestCheck: "completed" });
    expect(metadata.stage_0_TestCheck_ms).toBeGreaterThanOrEqual(0);
  });

  it("records the checks of environment and configuration before it runs", async () => {
    const { metadata } = await new CheckpointPipeline([new TestCheck()]).execute(new CheckpointContext());
    expect(metadata).toMatchObject({ validation_environment_status: "ok", validation_config_status: "ok", validation_performed: true });
    const warned = await new CheckpointPipeline([new TestModifier()]).execute(new CheckpointContext());
    expect(warned.metadata.validation_config_status).toBe("warning");
  });

  it("adds its place to a stage's own error and lets it pass", async () => {
    const error = new CheckpointLoadError("ZIP_CORRUPT", "Damaged.", { details: { record: "data.pkl" } });
    const thrown = await rejection(new CheckpointPipeline([new TestCheck(), failing(error)]).execute(new CheckpointContext()));
    expect(thrown).toBe(error);
    expect(error.details).toEqual({ record: "data.pkl", pipelineStage: "TestCheck", stageIndex: 1, totalStages: 2 });
  });

  it("wraps any other error and keeps its message, its type and the error itself", async () => {
    const error = new TypeError("x is not a function");
    const thrown = await rejection(new CheckpointPipeline([failing(error)]).execute(new CheckpointContext()));
    expect(thrown).toBeInstanceOf(CheckpointError);
    expect(thrown).toMatchObject({
      code: "STAGE_FAILED",
      message: expect.stringContaining("x is not a function"),
      cause: error,
      details: { errorType: "TypeError", pipelineStage: "TestCheck", stageIndex: 0, totalStages: 1 },
    });
    expect(await rejection(new CheckpointPipeline([failing("a string")]).execute(new CheckpointContext()))).toMatchObject({
      message: expect.stringContaining("a string"),
      details: { errorType: "string" },
    });
  });

  it("goes on after a failure when it is told to, and records it", async () => {
    const pipeline = new CheckpointPipeline(
      [failing(new Error("no luck")), new TestCheck((context) => context.withMetadata({ after: true }))],
      {
        continueOnError: true,
      },
    );
    const { metadata } = await pipeline.execute(new CheckpointContext({ metadata: { before: true } }));
    expect(metadata).toMatchObject({ before: true, after: true, stage_1_TestCheck: "completed" });
    expect(metadata.stage_0_TestCheck).toMatch(/^failed: .*no luck/);
  });

  it.each([new RangeError("Array buffer allocation failed"), new RangeError("WebAssembly.Memory(): could not allocate memory")])(
    "never swallows an error that says that memory ran out: %s",
    async (error) => {
      expect(await rejection(new CheckpointPipeline([failing(error)], { continueOnError: true }).execute(new CheckpointContext()))).toBe(
        error,
      );
    },
  );

  it("stops with the signal's reason before the next stage and within one, also when it goes on after errors", async () => {
    const reason = new Error("enough");
    const controller = new AbortController();
    let reached = false;
    const pipeline = new CheckpointPipeline(
      [
        new TestCheck((context) => {
          controller.abort(reason);
          return context;
        }),
        new TestCheck((context) => {
          reached = true;
          return context;
        }),
      ],
      { continueOnError: true },
    );
    expect(await rejection(pipeline.execute(new CheckpointContext(), { signal: controller.signal }))).toBe(reason);
    expect(reached).toBe(false);
    const within = new TestCheck((_, { signal }) => {
      signal?.throwIfAborted();
      throw new Error("not aborted");
    });
    const aborting: StageLike = {
      process: (context, options) => {
        const own = new AbortController();
        own.abort(reason);
        return within.process(context, { ...options, signal: own.signal });
      },
    };
    expect(await rejection(new CheckpointPipeline([aborting]).execute(new CheckpointContext()))).toMatchObject({ cause: reason });
  });

  it("refuses to hand back a model that a source was meant for and that was not filled", async () => {
    const context = new CheckpointContext({ model: fakeModel() });
    const thrown = await rejection(new CheckpointPipeline([new TestSource()]).execute(context));
    expect(thrown).toBeInstanceOf(CheckpointValidationError);
    expect(thrown).toMatchObject({ code: "WEIGHTS_NOT_LOADED" });
    const failedLoad = new CheckpointPipeline([new TestSource(), failing(new Error("not loaded"))], { continueOnError: true });
    expect(await rejection(failedLoad.execute(context))).toMatchObject({ code: "WEIGHTS_NOT_LOADED" });
    await expect(new CheckpointPipeline([new TestSource(), new TestLoader()]).execute(context)).resolves.toBeDefined();
    await expect(new CheckpointPipeline([new TestSource()]).execute(new CheckpointContext())).resolves.toBeDefined();
  });

  it("runs synchronously where every stage can, through execute as well", async () => {
    const stages = [new TestSource(), new TestLoader(), new TestModifier((context) => context.withMetadata({ modified: true }))];
    const context = (): CheckpointContext => new CheckpointContext({ model: fakeModel() });
    expect(new CheckpointPipeline(stages).executeSync(context()).metadata).toMatchObject({
      modified: true,
      stage_2_TestModifier: "completed",
    });
    const { metadata } = await new CheckpointPipeline(stages, { asyncExecution: false }).execute(context());
    expect(metadata).toMatchObject({ modified: true });
  });

  it("names the stage that cannot run synchronously before it runs any", () => {
    let ran = false;
    const first = new TestModifier((context) => {
      ran = true;
      return context;
    });
    const pipeline = new CheckpointPipeline([first, new TestSink()]);
    expect(() => pipeline.executeSync(new CheckpointContext())).toThrow(
      expect.objectContaining({ code: "STAGE_ASYNC_ONLY", message: expect.stringContaining("TestSink (stage 1)") }),
    );
    expect(ran).toBe(false);
  });

  it("records failures of a synchronous run in the same way", () => {
    const modifier = new TestModifier(() => {
      throw new Error("no luck");
    });
    const pipeline = new CheckpointPipeline([modifier], { continueOnError: true });
    expect(pipeline.executeSync(new CheckpointContext()).metadata.stage_0_TestModifier).toMatch(/^failed: .*no luck/);
    expect(() => new CheckpointPipeline([modifier]).executeSync(new CheckpointContext())).toThrow(
      expect.objectContaining({ code: "STAGE_FAILED" }),
    );
  });

  it("takes any object with a process, and refuses one that returns no context", async () => {
    const plain: StageLike = { name: "plain", process: (context) => context.withMetadata({ plain: true }) };
    expect((await new CheckpointPipeline([plain]).execute(new CheckpointContext())).metadata).toMatchObject({
      plain: true,
      stage_0_plain: "completed",
    });
    const events: PipelineEvent[] = [];
    const forgetful = { name: "forgetful", process: () => undefined } as unknown as StageLike; // as JavaScript may hand it over
    const run = new CheckpointPipeline([forgetful]).execute(new CheckpointContext(), { onEvent: (event) => events.push(event) });
    expect(await rejection(run)).toMatchObject({ code: "STAGE_INVALID", message: expect.stringContaining("forgetful") });
    expect(events.map(({ type }) => type)).toEqual(["stage:start", "stage:end"]);
  });

  it("tells what happens as it happens", async () => {
    const events: PipelineEvent[] = [];
    const talking = new TestCheck((context, { onProgress, onNotice }) => {
      onProgress?.({ phase: "scan", done: 1, total: 2 });
      onNotice?.({ level: "warning", message: "look" });
      return context;
    });
    const error = new CheckpointError("CHECK_FAILED", "No.");
    const pipeline = new CheckpointPipeline([talking, failing(error)], { continueOnError: true });
    await pipeline.execute(new CheckpointContext(), { onEvent: (event) => events.push(event) });
    expect(events).toEqual([
      { type: "stage:start", index: 0, total: 2, stage: "TestCheck", kind: "check" },
      expect.objectContaining({ type: "stage:progress", progress: { phase: "scan", done: 1, total: 2 } }),
      expect.objectContaining({ type: "stage:notice", notice: { level: "warning", message: "look" } }),
      expect.objectContaining({ type: "stage:end", status: "completed", durationMs: expect.any(Number) }),
      expect.objectContaining({ type: "stage:start", index: 1 }),
      expect.objectContaining({ type: "stage:end", status: "failed", error }),
    ]);
  });

  it("adds, removes and clears stages, and says when one that is to be removed is not there", () => {
    const [one, two] = [new TestSource(), new TestLoader()];
    const pipeline = new CheckpointPipeline([one]);
    expect(pipeline.add(two).length).toBe(2);
    expect(pipeline.notices).toEqual([]);
    expect(pipeline.remove(one).stages).toEqual([two]);
    expect(pipeline.remove(one).notices.map(({ message }) => message)).toContainEqual(
      expect.stringContaining("TestSource is not in the pipeline"),
    );
    expect(pipeline.clear().length).toBe(0);
  });

  it("prints its stages in one line", () => {
    expect(String(new CheckpointPipeline([new TestSource(), new TestLoader()], { continueOnError: true }))).toBe(
      "CheckpointPipeline(TestSource -> TestLoader, continueOnError)",
    );
    expect(String(new TestSource())).toBe("TestSource()");
  });
});

describe("stages from configuration", () => {
  const build = (config: { readonly [key: string]: unknown }): StageLike => {
    if (config.check === "test") return new TestCheck();
    throw new CheckpointConfigError("INVALID_ARGUMENT", "There is no such check.", { suggestions: ["Use test."] });
  };

  it("are built, beside instances, and settings in the configuration go before the others", () => {
    const pipeline = CheckpointPipeline.fromConfig(
      { stages: [{ check: "test" }, new TestSink()], continueOnError: true },
      { build, continueOnError: false },
    );
    expect(pipeline.stages.map(({ name }) => name)).toEqual(["TestCheck", "TestSink"]);
    expect([pipeline.continueOnError, pipeline.asyncExecution]).toEqual([true, true]);
    expect(CheckpointPipeline.fromConfig({ stages: [] }, { asyncExecution: false }).asyncExecution).toBe(false);
  });

  it("that cannot be built are named by index, with a preview, the cause and suggestions", () => {
    const long = { check: "tset", note: "x".repeat(500) };
    const make = (): unknown => new CheckpointPipeline([{ check: "test" }, long], { build });
    expect(make).toThrow(CheckpointConfigError);
    expect(make).toThrow(
      expect.objectContaining({
        code: "STAGE_CONFIG",
        message: expect.stringMatching(/^Stage 1 .*tset.*There is no such check/s),
        details: expect.objectContaining({ stageIndex: 1, config: expect.stringMatching(/^.{200}$/) }),
        suggestions: ["Use test."],
        cause: expect.objectContaining({ code: "INVALID_ARGUMENT" }),
      }),
    );
  });

  it("never show credentials in an error", () => {
    const secrets = {
      source: "s3",
      secretAccessKey: "hunter2",
      password: "hunter2",
      headers: { Authorization: "Bearer hunter2" },
      url: "https://user:hunter2@example.org/a.ckpt?X-Amz-Signature=hunter2",
    };
    let message = "";
    try {
      new CheckpointPipeline([secrets], { build });
    } catch (error) {
      message = `${String(error)} ${JSON.stringify(error)}`;
    }
    expect(message).toContain("example.org/a.ckpt");
    expect(message).not.toContain("hunter2");
  });

  it.each([null, 7, "local", { no: "process" }])("are refused when nothing can build them: %j", (stage) => {
    const stages = [stage] as unknown as StageLike[]; // as JavaScript may hand it over
    expect(() => new CheckpointPipeline(stages)).toThrow(expect.objectContaining({ code: "STAGE_INVALID" }));
    expect(() => new CheckpointPipeline().add(stages[0] as StageLike)).toThrow(CheckpointConfigError);
  });
});
