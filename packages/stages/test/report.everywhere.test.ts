import { CheckpointContext, CheckpointPipeline } from "@ckptkit/core/pipeline";
import { describe, expect, it } from "vitest";
import { ValidateCheck } from "../src/checks/validate.js";
import { WeightsOnlyLoader } from "../src/loading/weights-only.js";
import { ReportSink } from "../src/sinks/report.js";
import { checkpointOf, modelOf, valuesOf } from "./checkpoints.js";
import { memoryPlatform } from "./memory-platform.js";

const run = async (path: string) => {
  const platform = memoryPlatform();
  const found = { rule: "a-rule", severity: "warning", message: "Pipes | and <tags> are text.", at: "byte 7" } as const;
  const checkpoint = { ...checkpointOf(valuesOf({ "a.weight": [2, 3], "a.bias": [2] }), { epoch: 3 }), findings: [found] };
  const model = modelOf({ "a.weight": [2, 3], "a.bias": [2] });
  model.setRequiresGrad("a", false);
  const checkpointPath = "https://user:hunter2@example.org/model.ckpt?sig=hunter2";
  const pipeline = new CheckpointPipeline([new ValidateCheck(), new WeightsOnlyLoader(), new ReportSink({ path })]);
  await pipeline.execute(new CheckpointContext({ checkpoint, checkpointPath, model, platform }));
  return new TextDecoder().decode(platform.files.get(path));
};

describe("the sink report", () => {
  it("tells as JSON of checkpoint, model, stages so far, findings, metadata and tensors", async () => {
    expect(JSON.parse(await run("report.json"))).toMatchObject({
      checkpoint: { uri: "in-memory.ckpt", layout: "pytorch", tensorCount: 2, byteLength: 32 },
      model: { tensorCount: 2, parameterCount: 2, trainableCount: 0, byteLength: 32, weightsInitialized: true },
      stages: [
        { index: 0, name: "ValidateCheck", status: "completed", durationMs: expect.any(Number) },
        { index: 1, name: "WeightsOnlyLoader", status: "completed" },
      ],
      findings: [{ rule: "a-rule", severity: "warning" }],
      metadata: { loading_strategy: "weights_only", check_validate: { status: "passed" } },
      tensors: [
        { name: "a.weight", dtype: "F32", shape: [2, 3], byteLength: 24, requiresGrad: false },
        { name: "a.bias", dtype: "F32", shape: [2], byteLength: 8, requiresGrad: false },
      ],
    });
  });

  it("tells the same as Markdown, in which text of the file stays text", async () => {
    const text = await run("report.md");
    expect(text).toMatch(/^# Checkpoint report\n/);
    for (const heading of ["## Model", "## Stages", "## Findings", "## Metadata", "## Tensors"]) expect(text).toContain(`\n${heading}\n`);
    expect(text).toContain("| a.weight | F32 | \\[2, 3\\] | 24 |");
    expect(text).toContain("Pipes \\| and \\<tags\\> are text.");
    expect(text).toContain("| 1 | WeightsOnlyLoader | completed |");
  });

  it.each(["report.json", "report.md"])("never shows the credentials of an address (%s)", async (path) => {
    expect(await run(path)).not.toContain("hunter2");
  });

  it("reports what there is of an empty context", async () => {
    const platform = memoryPlatform();
    await new ReportSink({ path: "r", format: "json" }).process(new CheckpointContext({ platform }));
    expect(JSON.parse(new TextDecoder().decode(platform.files.get("r")))).toEqual({
      checkpoint: null,
      model: null,
      stages: [],
      findings: [],
      metadata: {},
      tensors: [],
    });
  });
});
