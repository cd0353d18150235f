import { type Checkpoint, type Finding, type ObjectNode, TensorHandle } from "@ckptkit/core";
import { CheckpointContext } from "@ckptkit/core/pipeline";
import { openUri } from "@ckptkit/formats";
import { loadFixture, loadManifest } from "@ckptkit/testkit/vite";
import { describe, expect, it } from "vitest";
import { AuditCheck } from "../src/checks/audit.js";
import { ChecksumCheck } from "../src/checks/checksum.js";
import { CompatibleCheck } from "../src/checks/compatible.js";
import { FiniteCheck } from "../src/checks/finite.js";
import { ValidateCheck } from "../src/checks/validate.js";
import { WeightsOnlyLoader } from "../src/loading/weights-only.js";
import { ReferenceModel } from "../src/model/index.js";
import { checkpointOf, listOf, mapOf, modelOf, noting, openFixture, valuesOf } from "./checkpoints.js";
import { memoryPlatform } from "./memory-platform.js";
import { tensorOf } from "./tensors.js";

const contextOf = (checkpoint: Checkpoint): CheckpointContext => new CheckpointContext({ checkpoint });
const sound = { epoch: 1, optimizer_states: listOf(mapOf({})) };

describe("the check validate", () => {
  it.each(["vit-tiny.ckpt", "conv-bn.pt", "lstm.pt", "st-basic.safetensors", "whole-module.pt"])(
    "passes the real checkpoint %s",
    async (file) => {
      const { metadata } = await new ValidateCheck().process(contextOf(await openFixture(file)));
      expect(metadata.check_validate).toMatchObject({ status: "passed" });
    },
  );

  it("refuses an empty checkpoint and one without weights", async () => {
    await expect(new ValidateCheck().process(contextOf(checkpointOf(new Map())))).rejects.toMatchObject({
      code: "CHECK_FAILED",
      details: { problems: [expect.stringContaining("empty")] },
    });
    const bare = checkpointOf(new Map(), { epoch: 3, lr: 0.5 });
    await expect(new ValidateCheck().process(contextOf(bare))).rejects.toMatchObject({
      details: { problems: [expect.stringMatching(/No state dict was found.*epoch, lr/)] },
    });
  });

  it("tells every problem at once", async () => {
    const meta = new TensorHandle(
      { dtype: "F32", shape: [3], storage: undefined, byteOffset: 0 },
      { keys: ["m"], name: "m", group: "model" },
    );
    const found: Finding = { rule: "zip-hidden-bytes", severity: "error", message: "Bytes lie between records.", at: "byte 7" };
    const base = checkpointOf(valuesOf({ w: [2] }), { epoch: -1, global_step: "many", optimizer_states: mapOf({}) });
    const checkpoint = { ...base, tensors: [...base.tensors, meta], findings: [found] };
    await expect(new ValidateCheck({ require: ["hyper_parameters", "w", "x.*"] }).process(contextOf(checkpoint))).rejects.toMatchObject({
      code: "CHECK_FAILED",
      details: {
        problems: [
          "1 tensors have no bytes in the file: m",
          "its epoch is not a whole number from 0 on",
          "its global_step is not a whole number from 0 on",
          "its optimizer_states is not a list",
          "Bytes lie between records (byte 7)",
          'nothing in it matches "hyper_parameters"',
          'nothing in it matches "x.*"',
        ],
      },
    });
    await expect(new ValidateCheck().process(contextOf(checkpointOf(valuesOf({ w: [2] }), sound)))).resolves.toBeDefined();
  });

  it("refuses weights that were never written", async () => {
    await expect(new ValidateCheck().process(contextOf(await openFixture("skip-data.pt")))).rejects.toMatchObject({ code: "CHECK_FAILED" });
  });

  it("needs a checkpoint", async () => {
    await expect(new ValidateCheck().process(new CheckpointContext())).rejects.toMatchObject({ code: "CONTEXT_INCOMPLETE" });
    await expect(new ValidateCheck({ from: "a" }).process(new CheckpointContext())).rejects.toMatchObject({ code: "CONTEXT_INCOMPLETE" });
  });
});

describe("the check finite", () => {
  it("finds what torch counts in a real file, in every tensor at once", async () => {
    const truth = (await loadManifest()).find(({ file }) => file === "special-numbers.pt")?.truth.tensors ?? [];
    const expected = truth.flatMap(({ path, nan = 0, posInf = 0, negInf = 0 }) =>
      nan + posInf + negInf > 0 ? [{ tensor: path, nan, posInf, negInf }] : [],
    );
    expect(expected.length).toBeGreaterThan(1);
    const error: unknown = await new FiniteCheck()
      .process(contextOf(await openFixture("special-numbers.pt")))
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "CHECK_FAILED", details: { problems: expect.arrayContaining(expected) } });
    expect((error as { details: { problems: unknown[] } }).details.problems).toHaveLength(expected.length);
  });

  it("passes a real run and records what it looked at", async () => {
    const { metadata } = await new FiniteCheck().process(contextOf(await openFixture("vit-tiny.ckpt")));
    expect(metadata.check_finite).toMatchObject({ status: "passed", of: "vit-tiny.ckpt", skipped: [] });
  });

  it("looks at the model once weights have been loaded, unless it is told to look at the checkpoint", async () => {
    const bad = new Map([
      ["w", tensorOf("F32", [3], (index) => [1, Number.NaN, Number.POSITIVE_INFINITY][index] ?? 0)],
      ["unused", tensorOf("F32", [1], () => Number.NaN)],
    ]);
    const context = new CheckpointContext({ checkpoint: checkpointOf(bad), model: modelOf({ w: [3] }) });
    const loaded = await new WeightsOnlyLoader().process(context);
    await expect(new FiniteCheck().process(loaded)).rejects.toMatchObject({
      details: { problems: [{ tensor: "w", nan: 1, posInf: 1, negInf: 0 }] },
      message: expect.stringContaining("1 NaN, 1 +Inf"),
    });
    await expect(new FiniteCheck({ of: "checkpoint" }).process(loaded)).rejects.toMatchObject({
      details: { problems: [{ tensor: "w" }, { tensor: "unused" }] },
    });
  });

  it("lets infinities pass when told so, and leaves out what is excluded", async () => {
    const context = contextOf(checkpointOf(new Map([["mask", tensorOf("F32", [2], () => Number.NEGATIVE_INFINITY)]])));
    await expect(new FiniteCheck().process(context)).rejects.toMatchObject({ code: "CHECK_FAILED" });
    await expect(new FiniteCheck({ allowInfinite: true }).process(context)).resolves.toBeDefined();
    await expect(new FiniteCheck({ exclude: ["mask"] }).process(context)).resolves.toBeDefined();
  });
});

describe("the check checksum", () => {
  const setUp = async () => {
    const bytes = await loadFixture("conv-bn.pt");
    const truth = (await loadManifest()).find(({ file }) => file === "conv-bn.pt");
    const platform = memoryPlatform({ "conv-bn.pt": bytes });
    const checkpoint = await openUri(platform, "conv-bn.pt");
    if (!truth) throw new Error("There is no truth of conv-bn.pt.");
    return { truth, context: new CheckpointContext({ checkpointPath: "conv-bn.pt", checkpoint, platform }) };
  };

  it("passes the digest of the file, in capitals too, and refuses another", async () => {
    const { truth, context } = await setUp();
    const { metadata } = await new ChecksumCheck({ expected: truth.sha256.toUpperCase() }).process(context);
    expect(metadata.check_checksum).toEqual({ status: "passed", algorithm: "sha256", digest: truth.sha256, verified: true });
    const wrong = "0".repeat(64);
    await expect(new ChecksumCheck({ expected: wrong }).process(context)).rejects.toMatchObject({
      code: "CHECK_FAILED",
      details: { problems: [{ of: "file", expected: wrong, found: truth.sha256 }] },
    });
  });

  it("passes the digests of tensors, and tells every one that differs", async () => {
    const { truth, context } = await setUp();
    const tensors = Object.fromEntries(
      truth.truth.tensors.flatMap(({ path, group, sha256 }) => (group === "model" && sha256 !== undefined ? [[path, sha256]] : [])),
    );
    const { metadata } = await new ChecksumCheck({ tensors }).process(context);
    expect(metadata.check_checksum).toMatchObject({ status: "passed", tensors: Object.keys(tensors).length });
    await expect(new ChecksumCheck({ tensors: { ...tensors, "fc.bias": "00", nowhere: "11" } }).process(context)).rejects.toMatchObject({
      details: {
        problems: [
          { of: "fc.bias", expected: "00" },
          { of: "nowhere", found: "no such tensor" },
        ],
      },
    });
  });

  it("records the digest and warns when none was expected", async () => {
    const { truth, context } = await setUp();
    const stage = noting();
    const { metadata } = await new ChecksumCheck().process(context, stage);
    expect(metadata.check_checksum).toMatchObject({ digest: truth.sha256, verified: false });
    expect(stage.notices).toEqual([expect.stringContaining("No digest was expected")]);
  });

  it("refuses options that are no digest, and needs a platform for files", async () => {
    expect(() => new ChecksumCheck({ expected: "xyz" })).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
    await expect(new ChecksumCheck().process(contextOf(checkpointOf(valuesOf({ w: [1] }))))).rejects.toMatchObject({
      code: "CONTEXT_INCOMPLETE",
    });
  });
});

describe("the check compatible", () => {
  it("compares with the context's model and tells every difference", async () => {
    const model = modelOf({ a: [2], b: [3], c: [1] });
    const checkpoint = checkpointOf(new Map([...valuesOf({ a: [2], b: [4], z: [1] })]));
    const context = new CheckpointContext({ model, checkpoint });
    await expect(new CompatibleCheck().process(context)).rejects.toMatchObject({
      code: "INCOMPATIBLE",
      details: { missingKeys: ["c"], unexpectedKeys: ["z"], shapeMismatches: [{ name: "b", expected: [3], found: [4] }] },
    });
    expect(model.weightsInitialized).toBe(false);
    await expect(new CompatibleCheck({ strict: false, exclude: ["b"] }).process(context)).resolves.toBeDefined();
  });

  it("tries migrations dry and changes neither the model nor the context's checkpoint", async () => {
    const context = new CheckpointContext({ model: modelOf({ a: [2] }), checkpoint: checkpointOf(valuesOf({ "net.a": [2] })) });
    const { metadata } = await new CompatibleCheck({ migrations: [{ stripPrefix: "net" }] }).process(context);
    expect(metadata.check_compatible).toMatchObject({ status: "passed", missing_keys: [], unexpected_keys: [] });
    expect(metadata).not.toHaveProperty("loading_strategy");
  });

  it("compares with another checkpoint from headers alone: no tensor's bytes are read", async () => {
    const files = { "a.ckpt": await loadFixture("vit-tiny.ckpt"), "b.safetensors": await loadFixture("st-basic.safetensors") };
    const platform = memoryPlatform(files);
    const checkpoint = await openUri(platform, "a.ckpt");
    const opening = platform.bytesRead();
    const context = new CheckpointContext({ checkpoint, platform });
    await new CompatibleCheck({ like: "a.ckpt", sameDtypes: true, sameTies: true }).process(context);
    // The second opening of the same file reads what the first one read, and the comparison nothing.
    expect(platform.bytesRead()).toBe(2 * opening);
    await expect(new CompatibleCheck({ like: "b.safetensors" }).process(context)).rejects.toMatchObject({ code: "INCOMPATIBLE" });
  });

  it("finds a model compatible with an unreadable checkpoint, for it reads no values", async () => {
    const unreadable = { ...tensorOf("F32", [2], () => 0), readInto: () => Promise.reject(new Error("was read")) };
    const context = new CheckpointContext({ model: modelOf({ w: [2] }), checkpoint: checkpointOf(new Map([["w", unreadable]])) });
    await expect(new CompatibleCheck().process(context)).resolves.toBeDefined();
  });

  it("tells dtypes that loading would convert, and refuses them when they must be the same", async () => {
    const context = new CheckpointContext({
      model: modelOf({ w: [2] }),
      checkpoint: checkpointOf(new Map([["w", tensorOf("F64", [2], () => 0)]])),
    });
    const { metadata } = await new CompatibleCheck().process(context);
    expect(metadata.check_compatible).toMatchObject({ converted: [{ name: "w", expected: "F32", found: "F64" }] });
    await expect(new CompatibleCheck({ sameDtypes: true }).process(context)).rejects.toMatchObject({
      details: { dtypeMismatches: [{ name: "w", expected: "F32", found: "F64" }] },
    });
  });

  it("refuses weights that are tied in the model only, when ties must be the same", async () => {
    const model = ReferenceModel.of([
      { name: "a", dtype: "F32", shape: [1] },
      { name: "b", dtype: "F32", shape: [1], tiedTo: "a" },
    ]);
    const context = new CheckpointContext({ model, checkpoint: checkpointOf(valuesOf({ a: [1], b: [1] })) });
    const stage = noting();
    await expect(new CompatibleCheck().process(context, stage)).resolves.toBeDefined();
    expect(stage.notices).toHaveLength(1);
    await expect(new CompatibleCheck({ sameTies: true }).process(context)).rejects.toMatchObject({
      details: { tieMismatches: [["a", "b"]] },
    });
  });
});

describe("the check audit", () => {
  const withObject = (type: string): Checkpoint => {
    const object: ObjectNode = { kind: "object", type, args: ["echo"] };
    return checkpointOf(valuesOf({ w: [1] }), { extra: listOf(object) });
  };

  it.each(["vit-tiny.ckpt", "conv-bn.pt", "lstm.pt", "ties.pt", "dtypes-all.pt", "st-basic.safetensors"])(
    "finds nothing suspicious in %s, which torch loads with weights_only",
    async (file) => {
      await expect(new AuditCheck({ refuse: "warning" }).process(contextOf(await openFixture(file)))).resolves.toBeDefined();
    },
  );

  it.each(["posix.system", "os.system", "subprocess.Popen", "builtins.eval", "builtins.exec", "runpy._run_code", "torch.hub.load"])(
    "refuses %s",
    async (name) => {
      await expect(new AuditCheck().process(contextOf(withObject(name)))).rejects.toMatchObject({
        code: "CHECK_FAILED",
        details: { problems: [{ rule: "executing-global", severity: "error", at: "extra.0", message: expect.stringContaining(name) }] },
      });
    },
  );

  it("warns of a class that it does not know, refuses it when told so, and passes it when it is allowed", async () => {
    const context = contextOf(withObject("my_project.Config"));
    const stage = noting();
    const { metadata } = await new AuditCheck().process(context, stage);
    expect(stage.notices).toEqual([expect.stringContaining("my_project.Config")]);
    expect(metadata.check_audit).toMatchObject({ status: "passed", findings: 1 });
    await expect(new AuditCheck({ refuse: "warning" }).process(context)).rejects.toMatchObject({ code: "CHECK_FAILED" });
    await expect(new AuditCheck({ refuse: "info", allow: ["my_project.Config"] }).process(context)).resolves.toBeDefined();
  });

  it.each(["torch.load", "torch.compile", "torch.serialization.load", "numpy.load", "pathlib.os.system", "torch.float32.__reduce__"])(
    "does not take %s for harmless",
    async (name) => {
      await expect(new AuditCheck({ refuse: "warning" }).process(contextOf(withObject(name)))).rejects.toMatchObject({
        code: "CHECK_FAILED",
      });
    },
  );

  it("finds names in keys, attributes, states and shared or cyclic parts, each once", async () => {
    const inner: ObjectNode = { kind: "object", type: "a.Inner" };
    const outer: ObjectNode = { kind: "object", type: "b.Outer", attributes: mapOf({ inner }), state: inner };
    outer.attributes?.entries.push(["self", outer], [{ kind: "global", name: "c.Key" }, 1]);
    const checkpoint = checkpointOf(valuesOf({ w: [1] }), { extra: outer });
    await expect(new AuditCheck({ refuse: "warning" }).process(contextOf(checkpoint))).rejects.toMatchObject({
      message: expect.stringContaining("3 findings"),
    });
  });

  it("refuses what the reader found, by its severity", async () => {
    const found: Finding = { rule: "zip-hidden-bytes", severity: "error", message: "Bytes lie between records." };
    const checkpoint = { ...checkpointOf(valuesOf({ w: [1] })), findings: [found] };
    await expect(new AuditCheck().process(contextOf(checkpoint))).rejects.toMatchObject({ details: { problems: [found] } });
  });
});
