import { CheckpointError } from "@ckptkit/core";
import { CheckpointContext, CheckpointPipeline } from "@ckptkit/core/pipeline";
import { openUri } from "@ckptkit/formats";
import { nodePlatform } from "@ckptkit/node";
import { corpus } from "@ckptkit/testkit/node";
import { describe, expect, it } from "vitest";
import { AuditCheck } from "../src/checks/audit.js";
import { CompatibleCheck } from "../src/checks/compatible.js";
import { WeightsOnlyLoader } from "../src/loading/weights-only.js";
import { ReferenceModel } from "../src/model/index.js";

const entries = corpus() ?? [];

describe.skipIf(entries.length === 0)("real checkpoints of public projects", () => {
  it("fit a model that is like them, strictly, or say why they hold no model", async () => {
    const platform = nodePlatform();
    const pipeline = new CheckpointPipeline([
      new CompatibleCheck({ sameDtypes: true, sameTies: true }),
      new WeightsOnlyLoader({ strict: true }),
      new AuditCheck({ refuse: "error" }),
    ]);
    let loaded = 0;
    for (const { path, file } of entries) {
      try {
        const checkpoint = await openUri(platform, path);
        try {
          const model = ReferenceModel.like(checkpoint);
          expect(model.namedParameters().length, file).toBeLessThanOrEqual(model.stateDict().size);
          await pipeline.execute(new CheckpointContext({ checkpoint, model, platform }));
          loaded++;
        } finally {
          await checkpoint.close();
        }
      } catch (error) {
        if (!(error instanceof CheckpointError)) throw error;
        expect(error.code, `${file}: ${error.message}`).not.toMatch(/INCOMPATIBLE|MIGRATION|STAGE|INTERNAL|WEIGHTS/);
      }
    }
    // The rest of the corpus is no model: TorchScript, indices, arrays, damaged files, other formats.
    expect(loaded).toBeGreaterThan(entries.length / 4);
  });
});
