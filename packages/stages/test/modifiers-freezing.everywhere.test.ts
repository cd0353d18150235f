import { CheckpointContext, type ModelAdapter } from "@ckptkit/core/pipeline";
import { describe, expect, it } from "vitest";
import { ReferenceModel } from "../src/model/index.js";
import { FreezingModifier } from "../src/modifiers/freezing.js";
import { stageWithNotices } from "./modifier-truth.js";

const weight = (name: string) => ({ name, dtype: "F32", shape: [2, 2] });
const network = () =>
  ReferenceModel.of([
    weight("encoder.layers.0.weight"),
    weight("encoder.layers.0.bias"),
    weight("encoder.layers.1.weight"),
    { ...weight("encoder.norm.running_mean"), kind: "buffer" },
    weight("decoder.layers.0.weight"),
    weight("head.weight"),
  ]);
const trainable = (model: ModelAdapter): string[] =>
  model
    .namedParameters()
    .filter(({ requiresGrad }) => requiresGrad)
    .map(({ name }) => name);

describe("FreezingModifier", () => {
  it("freezes whole subtrees and records how many parameters that were", async () => {
    const model = network();
    const context = await new FreezingModifier({ submodulesToFreeze: ["encoder", "head"] }).process(new CheckpointContext({ model }), {});
    expect(trainable(model)).toEqual(["decoder.layers.0.weight"]);
    expect(context.metadata.modifiers_applied).toEqual([
      {
        type: "freezing",
        submodules: ["encoder", "head"],
        frozen_modules: [
          { name: "encoder", frozen_params: 3 },
          { name: "head", frozen_params: 1 },
        ],
        total_frozen_params: 4,
      },
    ]);
  });

  it("runs without waiting, and adds to what earlier modifiers recorded", () => {
    const model = network();
    let context = new CheckpointContext({ model });
    for (const path of ["encoder.layers.0", "decoder"])
      context = new FreezingModifier({ submodulesToFreeze: [path] }).processSync(context, {});
    expect(trainable(model)).toEqual(["encoder.layers.1.weight", "head.weight"]);
    expect(context.metadata.modifiers_applied).toMatchObject([{ submodules: ["encoder.layers.0"] }, { submodules: ["decoder"] }]);
  });

  it("does not take the last name of a nested module for it, and tells so", () => {
    const model = network();
    const stage = stageWithNotices();
    const context = new FreezingModifier({ submodulesToFreeze: ["layers", "head"] }).processSync(new CheckpointContext({ model }), stage);
    expect(trainable(model)).not.toContain("head.weight");
    expect(trainable(model)).toHaveLength(4);
    expect(stage.notices).toMatchObject([{ level: "warning", message: expect.stringContaining('"layers"') }]);
    expect(context.metadata.modifiers_applied).toMatchObject([
      { frozen_modules: [{ name: "head", frozen_params: 1 }], total_frozen_params: 1 },
    ]);
  });

  it("refuses a path that is not there when strict, before anything is frozen, and says what it may have meant", () => {
    const model = network();
    const modifier = new FreezingModifier({ submodulesToFreeze: ["head", "layers.0"], strict: true });
    const failed = () => modifier.processSync(new CheckpointContext({ model }), {});
    expect(failed).toThrow(expect.objectContaining({ code: "UNKNOWN_MODULE", details: { path: "layers.0" } }));
    expect(failed).toThrow(
      expect.objectContaining({ suggestions: [expect.stringContaining("encoder.layers.0, decoder.layers.0"), expect.anything()] }),
    );
    expect(trainable(model)).toHaveLength(5);
  });

  it("counts 0 for a module that was frozen before", () => {
    const model = network();
    model.setRequiresGrad("encoder", false);
    const context = new FreezingModifier({ submodulesToFreeze: ["encoder.layers"], strict: true }).processSync(
      new CheckpointContext({ model }),
      {},
    );
    expect(context.metadata.modifiers_applied).toMatchObject([{ frozen_modules: [{ name: "encoder.layers", frozen_params: 0 }] }]);
  });

  it("leaves everything as it is for an empty list", () => {
    const context = new CheckpointContext({ model: network() });
    expect(new FreezingModifier({ submodulesToFreeze: [] }).processSync(context, {})).toBe(context);
  });

  it("finds out when a model does not freeze what it was told to, unless it is not to look", () => {
    const stubborn = network();
    stubborn.setRequiresGrad = () => 1;
    const context = new CheckpointContext({ model: stubborn });
    expect(() => new FreezingModifier({ submodulesToFreeze: ["head"] }).processSync(context, {})).toThrow(
      expect.objectContaining({ code: "FREEZING_FAILED", details: { parameters: ["head.weight"] } }),
    );
    new FreezingModifier({ submodulesToFreeze: ["head"], validateGradients: false }).processSync(context, {});
  });

  it("needs a model, and takes the options' names of the Python system", () => {
    // The configuration of the Python system, whose names the type does not have.
    const input = { submodules_to_freeze: ["head"], validate_gradients: false } as unknown as { submodulesToFreeze: string[] };
    expect(() => new FreezingModifier(input).processSync(new CheckpointContext(), {})).toThrow(
      expect.objectContaining({ code: "CONTEXT_INCOMPLETE" }),
    );
  });
});
