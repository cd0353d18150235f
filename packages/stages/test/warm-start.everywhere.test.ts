import { getEntry, isNode, TensorHandle, type Tree } from "@ckptkit/core";
import { CheckpointContext } from "@ckptkit/core/pipeline";
import { loadManifest } from "@ckptkit/testkit/vite";
import { describe, expect, it } from "vitest";
import { WarmStartLoader } from "../src/loading/warm-start.js";
import { ReferenceModel, ReferenceOptimizer, ReferenceScheduler } from "../src/model/index.js";
import { openFixture } from "./checkpoints.js";
import { bytesOfTensor } from "./tensors.js";

const sha256 = async (bytes: Uint8Array<ArrayBuffer>): Promise<string> =>
  [...new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

const digestOf = async (tree: Tree | undefined): Promise<string> => {
  if (!isNode(tree) || tree.kind !== "tensor") throw new Error("Expected a tensor.");
  return sha256(await bytesOfTensor(new TensorHandle(tree.tensor, { keys: ["t"], name: "t", group: "optimizer" })));
};

describe("a warm start from a real Lightning run", () => {
  it("restores weights, Adam's state, the schedule, epoch, step and best score exactly as torch has them", async () => {
    const checkpoint = await openFixture("vit-tiny.ckpt");
    const truth = (await loadManifest()).find(({ file }) => file === "vit-tiny.ckpt")?.truth;
    const model = ReferenceModel.like(checkpoint);
    const optimizer = new ReferenceOptimizer(model);
    const scheduler = new ReferenceScheduler(optimizer);
    const { metadata } = await new WarmStartLoader().process(new CheckpointContext({ checkpoint, model, optimizer, scheduler }));

    const expected = new Map(truth?.tensors.map((tensor) => [tensor.path, tensor]));
    const weights = truth?.tensors.filter(({ group }) => group === "model") ?? [];
    expect(weights.length).toBe(44);
    for (const { name = "", sha256: digest } of weights) {
      expect(await sha256(await bytesOfTensor(model.stateDict().get(name))), name).toBe(digest);
    }
    // Lightning gives Adam the parameters in the order of the state dict: number 0 is the first weight.
    for (const [number, { name = "" }] of weights.entries()) {
      for (const part of ["step", "exp_avg", "exp_avg_sq"]) {
        const digest = expected.get(`optimizer_states.0.state.${number}.${part}`)?.sha256;
        expect(digest).toBeDefined();
        expect(await digestOf(getEntry(optimizer.stateOf(name), part)), `${name} ${part}`).toBe(digest);
      }
    }
    // As torch.load gives them: six epochs of a cosine schedule from 0.002 to 0, after which Lightning has stepped seven times.
    expect(getEntry(scheduler.stateDict(), "last_epoch")).toBe(6);
    expect(getEntry(scheduler.stateDict(), "T_max")).toBe(6);
    expect(metadata).toMatchObject({ epoch: 5, global_step: 96, loading_strategy: "warm_start", weights_initialized: true });
    const score = truth?.tensors.find(({ path }) => path.startsWith("callbacks.ModelCheckpoint") && path.endsWith(".best_model_score"));
    expect(metadata.best_metric).toBe(score?.min);
  });

  it("restores the optimizer and the schedule of a plain training script", async () => {
    const checkpoint = await openFixture("conv-bn.pt");
    const model = ReferenceModel.like(checkpoint);
    const optimizer = new ReferenceOptimizer(model);
    const scheduler = new ReferenceScheduler(optimizer);
    const { metadata } = await new WarmStartLoader().process(new CheckpointContext({ checkpoint, model, optimizer, scheduler }));
    const truth = (await loadManifest()).find(({ file }) => file === "conv-bn.pt")?.truth;
    const digest = truth?.tensors.find(({ path }) => path === "optimizer_state_dict.state.6.max_exp_avg_sq")?.sha256;
    // fc.weight is the seventh parameter of the ConvNet in fixtures/generate/trained.py; buffers do not count.
    expect(await digestOf(getEntry(optimizer.stateOf("fc.weight"), "max_exp_avg_sq"))).toBe(digest);
    expect(getEntry(scheduler.stateDict(), "step_size")).toBe(10);
    expect(metadata.epoch).toBe(30);
  });

  it("refuses the optimizer state of another model", async () => {
    const checkpoint = await openFixture("vit-tiny.ckpt");
    const model = ReferenceModel.like(checkpoint);
    const state = getEntry(checkpoint.tree, "optimizer_states");
    const other = new ReferenceOptimizer(ReferenceModel.like(await openFixture("conv-bn.pt")));
    const first = isNode(state) && state.kind === "list" ? (state.items[0] ?? null) : null;
    expect(() => other.loadStateDict(first)).toThrow(
      expect.objectContaining({ code: "INCOMPATIBLE", message: expect.stringContaining("44 parameters") }),
    );
    const swapped = new ReferenceOptimizer(model, { groups: [[...model.namedParameters()].reverse().map(({ name }) => name)] });
    expect(() => swapped.loadStateDict(first)).toThrow(expect.objectContaining({ message: expect.stringContaining("exp_avg") }));
  });
});
