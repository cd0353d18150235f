import { CheckpointContext } from "@ckptkit/core/pipeline";
import { describe, expect, it } from "vitest";
import { TemplateNameCheck } from "../src/checks/template-name.js";
import { openFixture } from "./checkpoints.js";

describe("the check template_name", () => {
  it("passes a checkpoint within its bounds, and says what it looked at", async () => {
    const checkpoint = await openFixture("vit-tiny.ckpt");
    const { metadata } = await new TemplateNameCheck().process(new CheckpointContext({ checkpoint }));
    expect(metadata.check_template_name).toMatchObject({ status: "passed", tensors: checkpoint.tensors.length });
  });

  it("refuses one outside of them, and says what it found", async () => {
    const checkpoint = await openFixture("vit-tiny.ckpt");
    await expect(new TemplateNameCheck({ maxTensors: 3 }).process(new CheckpointContext({ checkpoint }))).rejects.toMatchObject({
      code: "CHECK_FAILED",
      details: { problems: [{ expected: 3, found: checkpoint.tensors.length }] },
    });
  });

  it("names an option that is not one of its own", () => {
    expect(() => new TemplateNameCheck(JSON.parse('{ "maxTensor": 3 }'))).toThrow(/maxTensor/);
  });

  it("needs a checkpoint", async () => {
    await expect(new TemplateNameCheck().process(new CheckpointContext())).rejects.toMatchObject({ code: "CONTEXT_INCOMPLETE" });
  });
});
