import { describe, expect, it } from "vitest";
import { CheckpointConfigError } from "../src/index.js";
import { CheckpointContext } from "../src/pipeline/index.js";
import { emptyCheckpoint, fakeModel, smallCheckpoint, stateful } from "./pipeline-parts.js";

const notices = (context: CheckpointContext): string[] => context.notices.map(({ level, message }) => `${level}: ${message}`);

describe("CheckpointContext", () => {
  it("is not changed by what makes a new one of it", () => {
    const metadata = { a: 1 };
    const context = new CheckpointContext({ checkpointPath: "a.ckpt", metadata });
    const next = context.with({ checkpointPath: "b.ckpt" }).withMetadata({ b: 2, a: 3 });
    expect([context.checkpointPath, next.checkpointPath]).toEqual(["a.ckpt", "b.ckpt"]);
    expect([context.metadata, next.metadata]).toEqual([{ a: 1 }, { a: 3, b: 2 }]);
    metadata.a = 9;
    expect(context.metadata).toEqual({ a: 1 });
  });

  it("keeps every field that is not replaced, and takes fields away with undefined", () => {
    const model = fakeModel();
    const context = new CheckpointContext({
      model,
      optimizer: stateful(),
      scheduler: stateful(),
      config: { a: 1 },
      checkpointFormat: "lightning",
    });
    const next = context.with({ optimizer: undefined, scheduler: undefined });
    expect(next).toMatchObject({ config: { a: 1 }, checkpointFormat: "lightning" });
    expect([next.model, next.optimizer, next.scheduler]).toEqual([model, undefined, undefined]);
  });

  it("gives metadata with a default, and takes null, false and 0 for what they are", () => {
    const context = new CheckpointContext({ metadata: { epoch: 0, done: false, note: null } });
    expect(context.getMetadata("epoch", 7)).toBe(0);
    expect(context.getMetadata("done", true)).toBe(false);
    expect(context.getMetadata("note", "x")).toBeNull();
    expect(context.getMetadata("absent", 7)).toBe(7);
    expect(context.getMetadata("toString", "own entries only")).toBe("own entries only");
  });

  it("has checkpoint data when a checkpoint is there and not empty", () => {
    expect(new CheckpointContext().hasCheckpointData).toBe(false);
    expect(new CheckpointContext({ checkpoint: emptyCheckpoint() }).hasCheckpointData).toBe(false);
    expect(new CheckpointContext({ checkpoint: smallCheckpoint() }).hasCheckpointData).toBe(true);
  });

  it("names every field that a stage misses, and how to get it", () => {
    const context = new CheckpointContext({ checkpoint: emptyCheckpoint() });
    const validate = (): void => context.validateForStage("WarmStartLoader", ["checkpoint", "model", "optimizer", "platform"]);
    expect(validate).toThrow(CheckpointConfigError);
    expect(validate).toThrow(
      expect.objectContaining({
        code: "CONTEXT_INCOMPLETE",
        message: expect.stringMatching(/WarmStartLoader.*checkpoint, model, optimizer, platform/),
        details: { stage: "WarmStartLoader", missing: ["checkpoint", "model", "optimizer", "platform"] },
        suggestions: expect.arrayContaining(["Put a source before this stage."]),
      }),
    );
    context.with({ checkpoint: smallCheckpoint(), model: fakeModel() }).validateForStage("WarmStartLoader", ["checkpoint", "model"]);
  });

  it("gives a field that a stage requires", () => {
    const model = fakeModel();
    expect(new CheckpointContext({ model }).require("FreezingModifier", "model")).toBe(model);
    expect(() => new CheckpointContext().require("FreezingModifier", "model")).toThrow(
      expect.objectContaining({ code: "CONTEXT_INCOMPLETE" }),
    );
  });

  it("keeps further checkpoints by their names, apart from the checkpoint", () => {
    const [one, two] = [smallCheckpoint("one"), smallCheckpoint("two")];
    const context = new CheckpointContext().withCheckpoint(one, "encoder").withCheckpoint(two);
    expect(context.requireCheckpoint("Loader", "encoder")).toBe(one);
    expect(context.requireCheckpoint("Loader")).toBe(two);
    expect(context.with({ checkpointPath: "x" }).checkpoints.get("encoder")).toBe(one);
    expect(() => context.requireCheckpoint("Loader", "decoder")).toThrow(
      expect.objectContaining({ code: "CONTEXT_INCOMPLETE", suggestions: ["Checkpoints there are: encoder."] }),
    );
    expect(() => new CheckpointContext().requireCheckpoint("Loader")).toThrow(expect.objectContaining({ code: "CONTEXT_INCOMPLETE" }));
    expect(() => context.withCheckpoint(emptyCheckpoint(), "bare").requireCheckpoint("Loader", "bare")).toThrow(/is empty/);
  });

  it("prints in one line what it holds", () => {
    const context = new CheckpointContext({
      checkpointPath: "a.ckpt",
      checkpoint: smallCheckpoint(),
      model: fakeModel(),
      metadata: { epoch: 1 },
    }).withCheckpoint(smallCheckpoint(), "encoder");
    expect(String(context)).toBe(
      "CheckpointContext(path=a.ckpt, checkpoint=memory (1 tensors), checkpoints=encoder, model, metadata=1 entries)",
    );
    expect(String(new CheckpointContext())).toBe("CheckpointContext(metadata=0 entries)");
  });

  it("tells on creation what does not go together", () => {
    const model = fakeModel();
    expect(notices(new CheckpointContext())).toEqual(["info: The context has no model."]);
    expect(notices(new CheckpointContext({ optimizer: stateful() }))).toEqual([
      "warning: The context has an optimizer, but no model.",
      "info: The context has no model.",
    ]);
    expect(notices(new CheckpointContext({ model, scheduler: stateful() }))).toEqual([
      "warning: The context has a scheduler, but no optimizer.",
    ]);
    expect(notices(new CheckpointContext({ model, lightningModule: {}, checkpointFormat: "pytorch" }))).toEqual([
      "warning: The context has a Lightning module, but the checkpoint's format is pytorch.",
    ]);
    expect(
      notices(
        new CheckpointContext({ model, optimizer: stateful(), scheduler: stateful(), lightningModule: {}, checkpointFormat: "lightning" }),
      ),
    ).toEqual([]);
  });
});
