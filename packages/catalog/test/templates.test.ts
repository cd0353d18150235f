import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { openCheckpoint } from "@ckptkit/node";
import { fixture } from "@ckptkit/testkit/node";
import { describe, expect, it } from "vitest";
import { digestsOf, floatsOf, planTemplate, runTemplate, scratch, TEMPLATES, trueDigests } from "./pipeline-run.js";
import { numbers, writeFloats } from "./safetensors-file.js";

const at = scratch();
const VIT = fixture("vit-tiny.ckpt").path;
const CONV = fixture("conv-bn.pt").path;
const names = readdirSync(TEMPLATES).map((file) => file.replace(/\.yaml$/, ""));
const source = readFileSync(new URL(import.meta.url), "utf8");

describe("every template", () => {
  it.each(names)("%s says at its head what it is for and which variables it takes", (name) => {
    const text = readFileSync(join(TEMPLATES, `${name}.yaml`), "utf8");
    const head = /^(?:#.*\n)+/.exec(text)?.[0] ?? "";
    expect(head.split("\n").length).toBeGreaterThan(3);
    const used = new Set([...text.slice(head.length).matchAll(/\$\{([A-Z0-9_]+)(?::-([^}]*))?\}/g)].map(([, variable]) => variable));
    for (const variable of used) expect(head, variable).toMatch(new RegExp(`^# {3}${variable} `, "m"));
  });

  // The one on S3 is run by scripts/demo-s3.mjs, which test/demo-s3.test.ts of the command runs.
  it.each(names.filter((name) => !name.startsWith("s3-")))("%s is run by a test here", (name) => {
    expect(source).toContain(`Template("${name}"`);
  });
});

describe("jobs", () => {
  it("inspect-and-audit writes a report from headers alone", async () => {
    const env = { CHECKPOINT: VIT, REPORT: at("report.md") };
    const plan = await planTemplate("inspect-and-audit", { env });
    expect(plan.stages.map(({ status }) => status)).toEqual(["ready", "ready", "ready", "ready"]);
    await runTemplate("inspect-and-audit", { env });
    expect(await readFile(env.REPORT, "utf8")).toContain("vit-tiny.ckpt");
  });

  it("finite-in-ci lets a good checkpoint pass and refuses one with NaN", async () => {
    const { context } = await runTemplate("finite-in-ci", { env: { CHECKPOINT: CONV } });
    expect(context.metadata).toMatchObject({ check_finite: { status: "passed" }, check_validate: { status: "passed" } });
    const refusal = runTemplate("finite-in-ci", { env: { CHECKPOINT: fixture("special-numbers.pt").path } });
    await expect(refusal).rejects.toMatchObject({ code: "CHECK_FAILED", details: { pipelineStage: "FiniteCheck" } });
  });

  it("lightning-to-safetensors writes the weights that PyTorch has, and nothing else", async () => {
    const OUTPUT = at("vit.safetensors");
    await runTemplate("lightning-to-safetensors", { env: { CHECKPOINT: VIT, OUTPUT, DTYPE: "F32" } });
    expect(await digestsOf(OUTPUT)).toEqual(trueDigests("vit-tiny.ckpt"));
    const half = at("vit-bf16.safetensors");
    await runTemplate("lightning-to-safetensors", { env: { CHECKPOINT: VIT, OUTPUT: half } });
    const checkpoint = await openCheckpoint(half);
    expect(new Set(checkpoint.tensors.map(({ dtype }) => dtype))).toEqual(new Set(["BF16"]));
    await checkpoint.close();
  });

  it("shard cuts the weights into files with an index", async () => {
    const OUTPUT = at("shards/model.safetensors");
    await runTemplate("shard", { env: { CHECKPOINT: VIT, OUTPUT, SHARD_BYTES: "40000" } });
    const files = readdirSync(at("shards"));
    expect(files.filter((file) => /-of-\d{5}\.safetensors$/.test(file)).length).toBeGreaterThan(2);
    expect(await digestsOf(at("shards/model.safetensors.index.json"))).toEqual(trueDigests("vit-tiny.ckpt"));
  });

  it("before-training tells what does not fit, from headers alone", async () => {
    await runTemplate("before-training", { env: { CHECKPOINT: VIT, MODEL: VIT } });
    const plan = await planTemplate("before-training", { env: { CHECKPOINT: VIT, MODEL: CONV } });
    expect(plan.stages.map(({ status }) => status)).toEqual(["ready", "ready", "fails"]);
    expect(plan.stages[2]?.error?.details.missingKeys).toContain("conv1.weight");
  });

  it("nightly-verification compares the digest, and goes on when it differs", async () => {
    const SHA256 = createHash("sha256").update(readFileSync(CONV)).digest("hex");
    const good = await runTemplate("nightly-verification", { env: { CHECKPOINT: CONV, SHA256, REPORT: at("good.json") } });
    expect(good.context.metadata).toMatchObject({ check_checksum: { verified: true, digest: SHA256 } });
    const env = { CHECKPOINT: CONV, SHA256: SHA256.replace(/^./, (digit) => (digit === "0" ? "1" : "0")), REPORT: at("bad.json") };
    const bad = await runTemplate("nightly-verification", { env });
    const ends = bad.events.flatMap((event) => (event.type === "stage:end" ? [`${event.stage} ${event.status}`] : []));
    expect(ends).toEqual([
      "UriSource completed",
      "ChecksumCheck failed",
      "ValidateCheck completed",
      "AuditCheck completed",
      "FiniteCheck completed",
      "ReportSink completed",
    ]);
    expect(JSON.parse(await readFile(env.REPORT, "utf8"))).toBeDefined();
  });
});

describe("loading strategies", () => {
  it("weights-only fills the model with the checkpoint's weights", async () => {
    const OUTPUT = at("weights-only.safetensors");
    const { context } = await runTemplate("weights-only", { env: { MODEL: VIT, CHECKPOINT: VIT, OUTPUT } });
    expect(context.metadata.loading_strategy).toBe("weights_only");
    expect(await digestsOf(OUTPUT)).toEqual(trueDigests("vit-tiny.ckpt"));
  });

  it("transfer-learning takes what fits, and tells what it skipped", async () => {
    const MODEL = await writeFloats(at("t-model.safetensors"), { "a.w": [[2, 2], numbers(4)], "head.w": [[3], numbers(3)] });
    const CHECKPOINT = await writeFloats(at("t-ckpt.safetensors"), { "a.w": [[2, 2], numbers(4, 10)], "head.w": [[5], numbers(5, 20)] });
    const OUTPUT = at("t-out.safetensors");
    const { context } = await runTemplate("transfer-learning", { env: { MODEL, CHECKPOINT, OUTPUT, REPORT: at("t.json") } });
    expect(context.metadata).toMatchObject({ transferred_params: ["a.w"], skipped_params: { "head.w": expect.stringContaining("shape") } });
    const found = await floatsOf(OUTPUT);
    expect(found.get("a.w")?.values).toEqual(numbers(4, 10));
    expect(found.get("head.w")?.values).toEqual([0, 0, 0]);
  });

  it("warm-start keeps optimizer, scheduler, epoch and step", async () => {
    const OUTPUT = at("resume.ckpt");
    const { context } = await runTemplate("warm-start", { env: { MODEL: VIT, CHECKPOINT: VIT, OUTPUT } });
    expect(context.metadata).toMatchObject({ loading_strategy: "warm_start", epoch: 5, global_step: 96 });
    expect(await digestsOf(OUTPUT)).toEqual(trueDigests("vit-tiny.ckpt"));
    const optimizer = await digestsOf(OUTPUT, "optimizer");
    expect([...optimizer.values()].sort()).toEqual([...trueDigests("vit-tiny.ckpt", "optimizer").values()].sort());
    const saved = await openCheckpoint(OUTPUT);
    expect([saved.layout, saved.metadata.epoch, saved.metadata.global_step]).toEqual(["lightning", 5, 96]);
    await saved.close();
    await expect(runTemplate("warm-start", { env: { MODEL: CONV, CHECKPOINT: VIT, OUTPUT: at("no.ckpt") } })).rejects.toMatchObject({
      code: "INCOMPATIBLE",
    });
  });

  it("cold-start begins at epoch 0, and says where the weights came from", async () => {
    const OUTPUT = at("start.ckpt");
    const { context } = await runTemplate("cold-start", { env: { CHECKPOINT: VIT, OUTPUT } });
    expect(context.metadata).toMatchObject({ loading_strategy: "cold_start", epoch: 0, global_step: 0, pretrained_from: VIT });
    const saved = await openCheckpoint(OUTPUT);
    expect([saved.layout, saved.metadata.epoch, saved.metadata.global_step]).toEqual(["lightning", 0, 0]);
    await saved.close();
    expect(await digestsOf(OUTPUT)).toEqual(trueDigests("vit-tiny.ckpt"));
  });

  it("encoder-and-decoder makes one model of two checkpoints", async () => {
    const whole = { "encoder.w": [[2], [0, 0]], "decoder.w": [[3], [0, 0, 0]] } as const;
    const MODEL = await writeFloats(at("ed-model.safetensors"), whole);
    const ENCODER = await writeFloats(at("ed-a.safetensors"), { "encoder.w": [[2], [1, 2]], "decoder.w": [[3], [9, 9, 9]] });
    const DECODER = await writeFloats(at("ed-b.safetensors"), { "encoder.w": [[2], [8, 8]], "decoder.w": [[3], [3, 4, 5]] });
    const OUTPUT = at("ed-out.safetensors");
    const { context } = await runTemplate("encoder-and-decoder", { env: { MODEL, ENCODER, DECODER, OUTPUT } });
    expect([...context.checkpoints.keys()]).toEqual(["encoder", "decoder"]);
    const found = await floatsOf(OUTPUT);
    expect([found.get("encoder.w")?.values, found.get("decoder.w")?.values]).toEqual([
      [1, 2],
      [3, 4, 5],
    ]);
  });

  it("migrate-keys brings old names in line", async () => {
    const CHECKPOINT = await writeFloats(at("old.safetensors"), {
      "module.backbone.attn.qkv.weight": [[6, 2], numbers(12)],
      "module.backbone.norm.weight": [[2], [7, 8]],
      "module.backbone.rotary_cache": [[1], [1]],
    });
    const part: readonly [readonly number[], readonly number[]] = [
      [2, 2],
      [0, 0, 0, 0],
    ];
    const MODEL = await writeFloats(at("new.safetensors"), {
      "encoder.attn.q.weight": part,
      "encoder.attn.k.weight": part,
      "encoder.attn.v.weight": part,
      "encoder.norm.weight": [[2], [0, 0]],
    });
    const OUTPUT = at("migrated.safetensors");
    await runTemplate("migrate-keys", { env: { CHECKPOINT, MODEL, OUTPUT } });
    const found = await floatsOf(OUTPUT);
    const values = (name: string) => found.get(name)?.values;
    expect(["q", "k", "v"].map((name) => values(`encoder.attn.${name}.weight`))).toEqual([numbers(4), numbers(4, 5), numbers(4, 9)]);
    expect(values("encoder.norm.weight")).toEqual([7, 8]);
  });
});

describe("changes of the weights", () => {
  it("quantize writes 8-bit integers and their scales", async () => {
    const CHECKPOINT = await writeFloats(at("q.safetensors"), {
      "fc.weight": [
        [2, 2],
        [127, -63.5, 1, 0],
      ],
      "fc.bias": [[2], [1, 2]],
    });
    const OUTPUT = at("q-out.safetensors");
    await runTemplate("quantize", { env: { CHECKPOINT, OUTPUT } });
    const found = await floatsOf(OUTPUT);
    // One scale a row: 127/127 and 1/127; -63.5 lies between two integers and goes to the even one, as torch rounds.
    expect(found.get("fc.weight")).toEqual({ dtype: "I8", shape: [2, 2], values: [127, -64, 127, 0] });
    expect(found.get("fc.weight_scale")?.values).toEqual([1, Math.fround(1 / 127)]);
    expect(found.get("fc.bias")?.values).toEqual([1, 2]);
  });

  it("prune sets the smaller half to zero", async () => {
    const CHECKPOINT = await writeFloats(at("p.safetensors"), {
      "fc.weight": [
        [2, 2],
        [4, -1, 2, -3],
      ],
    });
    const OUTPUT = at("p-out.safetensors");
    await runTemplate("prune", { env: { CHECKPOINT, OUTPUT } });
    expect((await floatsOf(OUTPUT)).get("fc.weight")?.values).toEqual([4, 0, 0, -3]);
  });

  it("lora-merge adds scaling x B x A to the weights", async () => {
    const CHECKPOINT = await writeFloats(at("base.safetensors"), { "fc.weight": [[2, 3], numbers(6)] });
    const ADAPTER = await writeFloats(at("adapter_model.safetensors"), {
      "base_model.model.fc.lora_A.weight": [
        [1, 3],
        [1, 2, 3],
      ],
      "base_model.model.fc.lora_B.weight": [
        [2, 1],
        [10, 100],
      ],
    });
    const config = { peft_type: "LORA", r: 1, lora_alpha: 2, target_modules: ["fc"], bias: "none", task_type: null };
    const { writeFile } = await import("node:fs/promises");
    await writeFile(at("adapter_config.json"), JSON.stringify(config));
    const OUTPUT = at("merged.safetensors");
    await runTemplate("lora-merge", { env: { CHECKPOINT, ADAPTER, OUTPUT } });
    // Scaling 2/1: the first row gets 20 x [1, 2, 3], the second 200 x [1, 2, 3].
    expect((await floatsOf(OUTPUT)).get("fc.weight")?.values).toEqual([21, 42, 63, 204, 405, 606]);
  });
});
