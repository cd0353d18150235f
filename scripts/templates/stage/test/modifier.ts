import { CheckpointContext } from "@ckptkit/core/pipeline";
import { describe, expect, it } from "vitest";
import { TemplateNameModifier } from "../src/modifiers/template-name.js";
import { modelOf, valuesOf } from "./checkpoints.js";
import { floats } from "./tensors.js";

/** A model whose weights are 1, 2 ... 6. */
async function loadedModel() {
  const shapes = { "fc.weight": [2, 3] };
  const model = modelOf(shapes);
  await model.loadStateDict(valuesOf(shapes, 1), { strict: true });
  model.weightsInitialized = true; // as a loader says when it has loaded
  return model;
}

describe("the modifier template_name", () => {
  it("changes what is read of the model, and says so", async () => {
    const model = await loadedModel();
    const { metadata } = await new TemplateNameModifier().process(new CheckpointContext({ model }));
    expect(await floats(model.stateDict().get("fc.weight"))).toEqual([-1, -2, -3, -4, -5, -6]);
    expect(metadata.modifiers_applied).toEqual([{ type: "template_name", tensors: 1 }]);
  });

  it("needs a model whose weights were loaded", async () => {
    await expect(new TemplateNameModifier().process(new CheckpointContext())).rejects.toMatchObject({ code: "CONTEXT_INCOMPLETE" });
    const model = modelOf({ "fc.weight": [2, 3] });
    await expect(new TemplateNameModifier().process(new CheckpointContext({ model }))).rejects.toMatchObject({
      code: "WEIGHTS_NOT_LOADED",
    });
  });
});
