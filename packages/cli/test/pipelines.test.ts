import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { bigSafetensors, fixture } from "@ckptkit/testkit/node";
import { describe, expect, it, onTestFinished } from "vitest";
import { ckpt, ckptJson, cleanEnv, type Ended, type ErrorJson, ended, scratch, start } from "./ckpt.js";
import { writeFloats } from "./safetensors-file.js";

const VIT = fixture("vit-tiny.ckpt").path;

/** A pipeline's file in a new folder, and what else there is to be. */
async function project(pipeline: string, name = "pipeline.yaml"): Promise<{ folder: string; file: string; at: (name: string) => string }> {
  const folder = await scratch();
  const at = (path: string): string => join(folder, path);
  await writeFile(at(name), pipeline.replaceAll("FOLDER", folder).replaceAll("VIT", VIT));
  return { folder, file: at(name), at };
}

const FREEZE = `stages:
  - source: local
    path: VIT
  - check: audit
  - check: finite
  - loader: weights_only
  - modifier: freezing
    submodules_to_freeze: [model.patch_embed]
  - sink: save
    path: FOLDER/out/model.safetensors
`;

interface RunJson {
  stages: { name: string; kind: string; status: string; durationMs: number; error?: ErrorJson["error"] }[];
  metadata: Record<string, unknown>;
  findings: unknown[];
  error?: ErrorJson["error"];
}

interface PlanJson {
  fits: boolean;
  readsBytes: number;
  writesBytes: number;
  plannedBytes: number;
  stages: {
    name: string;
    kind: string;
    status: string;
    readsBytes: number;
    writesBytes: number;
    fit?: Record<string, unknown>;
    error?: ErrorJson["error"];
  }[];
  error?: ErrorJson["error"];
}

describe("ckpt run", () => {
  it("runs the stages and tells one line a stage in a pipe", async () => {
    const { file, at } = await project(FREEZE);
    const { code, stdout, stderr } = await ckpt("run", file);
    expect([code, stderr]).toEqual([0, ""]);
    const lines = stdout.trimEnd().split("\n");
    expect(lines.map((line) => line.replace(/ +[\d.]+ m?s\b.*/, ""))).toEqual([
      "1/6  source local         ok",
      "2/6  check audit          ok",
      "3/6  check finite         ok",
      "4/6  loader weights_only  ok",
      "5/6  modifier freezing    ok",
      "6/6  sink save            ok",
      "done: 6 stages of 6 in",
    ]);
    expect(lines[3]).toContain("44 of 44 tensors");
    expect(existsSync(at("out/model.safetensors"))).toBe(true);
    expect((await ckpt("scan", at("out/model.safetensors"))).code).toBe(0);
  });

  it("prints stages, metadata and findings with --json, and nothing else", async () => {
    const { file } = await project(FREEZE);
    const { code, json, stderr } = await ckptJson<RunJson>("run", file);
    expect([code, stderr]).toEqual([0, ""]);
    expect(Object.keys(json)).toEqual(["stages", "metadata", "findings"]);
    expect(json.stages).toHaveLength(6);
    expect(json.stages[0]).toEqual({ name: "local", kind: "source", status: "completed", durationMs: expect.any(Number) });
    expect(json.metadata).toMatchObject({ loading_strategy: "weights_only", stage_5_SaveSink: "completed" });
  });

  it("ends with exit code 1 when a check refuses the checkpoint, and leaves out what follows", async () => {
    const { file, at } = await project(
      "stages: [{source: local, path: FOLDER/bad.safetensors}, {check: finite}, {sink: save, path: FOLDER/o.safetensors}]",
    );
    await writeFloats(at("bad.safetensors"), { w: [1, Number.NaN] });
    const { code, stdout, stderr } = await ckpt("run", file);
    expect(code).toBe(1);
    expect(stdout).toContain("2/3  check finite  failed");
    expect(stdout).toContain("failed: 1 stage of 3 in");
    expect(stderr).toMatch(/^error\[CHECK_FAILED\]: /);
    expect(existsSync(at("o.safetensors"))).toBe(false);
    const { json } = await ckptJson<RunJson>("run", file);
    expect(json.stages.map(({ status }) => status)).toEqual(["completed", "failed", "skipped"]);
    expect(json.error?.details).toMatchObject({ pipelineStage: "FiniteCheck", stageIndex: 1, totalStages: 3 });
  });

  it("goes on with continueOnError, tells every failure, and still ends with exit code 1", async () => {
    const { file, at } = await project(
      "continueOnError: true\nstages: [{source: local, path: FOLDER/bad.safetensors}, {check: finite}, {check: validate, require: [nothing]}, {sink: report, path: FOLDER/report.json}]",
    );
    await writeFloats(at("bad.safetensors"), { w: [Number.NaN] });
    const { code, stderr } = await ckpt("run", file);
    expect(code).toBe(1);
    expect(stderr.match(/^error\[CHECK_FAILED\]/gm)).toHaveLength(2);
    expect(existsSync(at("report.json"))).toBe(true);
  });

  it("ends with exit code 1 when the checkpoint does not fit the model, and 2 when it cannot be read", async () => {
    const { file, at } = await project(
      "model: {like: FOLDER/model.safetensors}\nstages: [{source: local, path: VIT}, {loader: weights_only, strict: true}]",
    );
    await writeFloats(at("model.safetensors"), { w: [1] });
    expect((await ckpt("run", file)).code).toBe(1);
    expect((await ckpt("run", file, "--set", "stages.local.path=nowhere.ckpt")).code).toBe(2);
  });

  it("takes --set and environment variables", async () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the pipeline
    const { file, at } = await project("stages: [{source: uri, uri: '${CHECKPOINT}'}, {sink: save, path: FOLDER/a.pt}]");
    const args = ["run", file, "--set", `stages.save.path=${at("b.pt")}`, "--set", "stages.save.dtype=F16"];
    expect(await ended(start(args, { CHECKPOINT: VIT }))).toMatchObject({ code: 0 });
    expect((await readdir(at("."))).filter((name) => name.endsWith(".pt"))).toEqual(["b.pt"]);
    const missing = await ckpt(...args);
    expect(missing.code).toBe(2);
    expect(missing.stderr).toContain("pipeline.yaml:1:29  stages[0].uri: the environment variable CHECKPOINT is not set");
  });

  it("leaves outputs alone that exist, unless --force replaces them", async () => {
    const { file, at } = await project(FREEZE);
    await mkdir(at("out"));
    await writeFile(at("out/model.safetensors"), "precious");
    const { code, stderr } = await ckpt("run", file);
    expect([code, await readFile(at("out/model.safetensors"), "utf8")]).toEqual([2, "precious"]);
    expect(stderr).toContain("--force");
    expect((await ckpt("run", file, "--force")).code).toBe(0);
  });

  it("stops at Ctrl-C with exit code 130, and leaves nothing behind", async () => {
    const big = await bigSafetensors({ bytes: 4e9, tensors: 4 });
    onTestFinished(() => big.remove());
    const { file, at } = await project(
      `stages: [{source: local, path: ${big.path}}, {sink: save, path: FOLDER/out/big.safetensors, dtype: BF16}]`,
    );
    const child = start(["run", file]);
    const end = ended(child);
    while (!existsSync(at("out")) && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 10));
    child.kill("SIGINT");
    expect(await end).toMatchObject({ code: 130, stderr: "interrupted\n" });
    expect(existsSync(at("out"))).toBe(false);
  });
});

describe("a pipeline's file that is wrong", () => {
  it("is refused before anything runs, with line and column of every defect", async () => {
    const { file } = await project("maxRetry: 3\nstages:\n  - source: locl\n  - loader: weights_only\n    strict: 5\n");
    const { code, stdout, stderr } = await ckpt("run", file);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain('pipeline.yaml:1:1  maxRetry: there is no such setting. Did you mean "maxRetries"?');
    expect(stderr).toContain('pipeline.yaml:3:13  stages[0].source: There is no source "locl". Did you mean "local"?');
    expect(stderr).toContain("pipeline.yaml:5:13  stages[1].strict: expected a boolean, found 5");
    const { json } = await ckptJson<ErrorJson>("plan", file);
    expect(json.error.code).toBe("CONFIG_INVALID");
    expect(json.error.details.issues).toHaveLength(3);
  });

  it.each<[string, string, string]>([
    ["stages: [", "p.yaml", "CONFIG_SYNTAX"],
    ["stages: []", "p.toml", "INVALID_ARGUMENT"],
    ["export default { stages: 5 };", "p.ts", "CONFIG_INVALID"],
    ["export const nothing = 1;", "p.mjs", "CONFIG_INVALID"],
    ["throw new Error('broken');", "p.mjs", "CONFIG_SYNTAX"],
    ["export default { stages: [ };", "p.ts", "CONFIG_SYNTAX"],
    ["extends: p.yaml", "p.yaml", "CONFIG_INVALID"],
    ["extends: nowhere.yaml", "p.yaml", "CONFIG_INVALID"],
  ])("%s in %s is %s", async (text, name, code) => {
    const { file } = await project(text, name);
    const { code: exit, json } = await ckptJson<ErrorJson>("run", file);
    expect([exit, json.error.code]).toEqual([2, code]);
  });

  it("that is not there is named, with files of similar names", async () => {
    const { at } = await project("stages: []");
    const { code, stderr } = await ckpt("run", at("pipelin.yaml"));
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error\[NOT_FOUND\]: .*pipelin\.yaml/);
    expect(stderr).toContain("pipeline.yaml");
  });
});

describe("other ways to describe a pipeline", () => {
  it("are TypeScript, with everything that the language has, and JSON", async () => {
    const { file } = await project(
      `enum Check { Finite = "finite" }
const stages: unknown[] = [{ source: "local", path: "VIT" }, { check: Check.Finite as string }];
export default { stages: [...stages, { kind: "check", name: "Mine", process: (context: { withMetadata(entries: object): unknown }) => context.withMetadata({ mine: true }) }] };`,
      "pipeline.ts",
    );
    const { code, json } = await ckptJson<RunJson>("run", file);
    expect(code).toBe(0);
    expect(json.stages.map(({ name }) => name)).toEqual(["local", "finite", "Mine"]);
    expect(json.metadata.mine).toBe(true);
    const { file: second } = await project('{"stages": [{"source": "local", "path": "VIT"}]}', "pipeline.json");
    expect((await ckpt("run", second)).code).toBe(0);
  });

  it("build on other files, relative to the one that names them", async () => {
    const { at } = await project("stages: [{source: local, path: VIT}]", "base.yaml");
    await mkdir(at("sub"));
    await writeFile(at("sub/own.yaml"), "extends: ../base.yaml\ntimeout: 5\n");
    await writeFile(at("sub/own.ts"), `export default { extends: "own.yaml" };`);
    expect((await ckpt("run", at("sub/own.yaml"))).code).toBe(0);
    expect((await ckpt("run", at("sub/own.ts"))).code).toBe(0);
  });

  it("use stages of installed packages, and warn of those that cannot be loaded", async () => {
    const { file, at } = await project("stages: [{source: local, path: VIT}, {check: epoch, least: 5}, {check: epoch, least: 6}]");
    const dependencies = { "my-stages": "1", broken: "1" };
    await writeFile(at("package.json"), JSON.stringify({ dependencies }));
    for (const [name, code] of [
      [
        "my-stages",
        `class Base { static stageKind = "check"; kind = "check"; }
export class EpochCheck extends Base {
  static description = "Refuses checkpoints of the first epochs";
  constructor(options) { super(); this.least = options.least; }
  process(context) {
    if (context.checkpoint.metadata.epoch < this.least) throw new Error("trained too briefly");
    return context;
  }
}`,
      ],
      ["broken", "import 'left-pad-that-is-not-there';"],
    ] as const) {
      await mkdir(at(`node_modules/${name}`), { recursive: true });
      await writeFile(
        at(`node_modules/${name}/package.json`),
        JSON.stringify({ name, type: "module", ckptkit: { stages: ["./stages.js"] } }),
      );
      await writeFile(at(`node_modules/${name}/stages.js`), code);
    }
    const { code, stdout, stderr } = await ckpt("run", file);
    expect(code).toBe(2);
    expect(stdout).toContain("2/3  check epoch   ok");
    expect(stderr).toContain("warning: The module broken could not be loaded");
    expect(stderr).toContain("error[STAGE_FAILED]: The stage EpochCheck (3 of 3) failed: trained too briefly");
  });
});

describe("ckpt plan", () => {
  const expectNothingWritten = async (at: (name: string) => string): Promise<void> =>
    expect(await readdir(at("."))).toEqual(["pipeline.yaml"]);

  it("tells what would be read and written, and writes nothing; so does run --dry-run", async () => {
    const { file, at } = await project(FREEZE);
    const planned = await ckpt("plan", file);
    expect([planned.code, planned.stderr]).toEqual([0, ""]);
    expect(planned.stdout).toMatch(/4 {2}loader weights_only +- +- {2}44 of 44 tensors fit\n/);
    expect(planned.stdout).toMatch(/3 {2}check finite +~ 384 KiB +- {2}is known when values are read\n/);
    const dry = await ckpt("run", file, "--dry-run");
    expect(dry.stdout).toBe(planned.stdout);
    await expectNothingWritten(at);
  });

  it("prints every stage as JSON", async () => {
    const { file } = await project(FREEZE);
    const { code, json } = await ckptJson<PlanJson>("plan", file);
    expect([code, json.fits]).toEqual([0, true]);
    expect(json.stages.map(({ name, status }) => `${name} ${status}`)).toEqual([
      "local ready",
      "audit ready",
      "finite reads",
      "weights_only ready",
      "freezing ready",
      "save reads",
    ]);
    expect(json.stages[3]?.fit).toMatchObject({ loaded: 44, tensors: 44, missingKeys: [], unexpectedKeys: [] });
    expect(json.readsBytes).toBe(json.stages.reduce((sum, { readsBytes }) => sum + readsBytes, 0));
  });

  it("ends with exit code 1 when the checkpoint does not fit, and names what differs", async () => {
    const { file, at } = await project(
      "model: {like: FOLDER/model.safetensors}\nstages: [{source: local, path: FOLDER/other.safetensors}, {loader: weights_only, strict: true}, {sink: save, path: o.pt}]",
    );
    await writeFloats(at("model.safetensors"), { a: [1], b: [1, 2] });
    await writeFloats(at("other.safetensors"), { b: [1, 2, 3], c: [1] });
    const { code, stdout, stderr } = await ckpt("plan", file);
    expect(code).toBe(1);
    expect(stdout).toContain("fails: INCOMPATIBLE");
    expect(stdout).toContain("2: 1 missing from the checkpoint: a\n");
    expect(stdout).toContain("2: 1 not in the model: c\n");
    expect(stdout).toContain("2: 1 of another shape: b (model [2], checkpoint [3])\n");
    expect(stdout).toMatch(/3 {2}sink save +- +- {2}not reached\n/);
    expect(stderr).toMatch(/^error\[INCOMPATIBLE\]/);
  });

  it("foresees that no weight would be loaded", async () => {
    const { file, at } = await project(
      "model: {like: FOLDER/model.safetensors}\nstages: [{source: local, path: FOLDER/other.safetensors}, {loader: weights_only}]",
    );
    await writeFloats(at("model.safetensors"), { a: [1] });
    await writeFloats(at("other.safetensors"), { b: [1] });
    const { code, json } = await ckptJson<PlanJson>("plan", file);
    expect([code, json.fits, json.error?.code]).toEqual([1, false, "WEIGHTS_NOT_LOADED"]);
    const run = await ckptJson<RunJson>("run", file);
    expect([run.code, run.json.error?.code]).toEqual([1, "WEIGHTS_NOT_LOADED"]);
  });
});

describe("ckpt catalog, schema and doctor", () => {
  it("lists the stages, those of one kind, and the options of one", async () => {
    const all = await ckpt("catalog");
    expect([all.code, all.stderr]).toEqual([0, ""]);
    for (const text of ["source\n", "check\n", "loader\n", "modifier\n", "sink\n", "  transfer_learning  Loads the tensors that fit"])
      expect(all.stdout).toContain(text);
    expect((await ckpt("catalog", "sink")).stdout).not.toContain("loader");
    expect((await ckpt("catalog", "loader", "weights_only")).stdout).toMatch(/ {2}strict +boolean +false +Whether every name/);
    const wrong = await ckpt("catalog", "loader", "weights_onyl");
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('Did you mean "weights_only"?')]);
    const { json } = await ckptJson<{ stages: { kind: string; name: string; options: { name: string }[] }[] }>("catalog", "modifier");
    expect(json.stages.map(({ name }) => name)).toContain("freezing");
    expect(json.stages.find(({ name }) => name === "freezing")?.options.map(({ name }) => name)).toContain("submodulesToFreeze");
  });

  it("prints a JSON Schema", async () => {
    const { code, stdout } = await ckpt("schema");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      $schema: "https://json-schema.org/draft/2020-12/schema",
      properties: { stages: { type: "array" } },
    });
  });

  it("looks at the machine, and names credentials without showing them", async () => {
    const secrets = {
      AWS_ACCESS_KEY_ID: "AKIDSHOWN",
      AWS_SECRET_ACCESS_KEY: "s3cr3t-one",
      HF_TOKEN: "hf_s3cr3t-two",
      MLFLOW_TRACKING_URI: "https://user:s3cr3t-three@host",
    };
    const env = { ...secrets, AWS_PROFILE: "", CKPTKIT_CACHE_DIR: await scratch() };
    const text: Ended = await ended(start(["doctor"], env));
    expect(text.code).toBe(0);
    const { stdout } = await ended(start(["doctor", "--json"], env));
    for (const output of [text.stdout, text.stderr, stdout])
      for (const secret of Object.values(secrets)) expect(output).not.toContain(secret);
    const { checks } = JSON.parse(stdout) as { checks: { name: string; status: string; found: string }[] }; // what doctor prints
    expect(checks.map(({ name, status }) => `${name} ${status}`)).toEqual(
      expect.arrayContaining(["Node.js ok", "kernels ok", "downloads ok", "S3 ok", "Hugging Face ok", "MLflow ok", "stages ok"]),
    );
    expect(checks.find(({ name }) => name === "S3")?.found).toContain("AWS_ACCESS_KEY_ID");
  });

  it("says in words what does not work", async () => {
    const { stdout } = await ended(start(["doctor"], { HTTPS_PROXY: "http://proxy:3128", CKPTKIT_CACHE_DIR: "/proc/no/such" }));
    expect(stripVTControlCharacters(stdout)).toContain("HTTPS_PROXY is set, and Node.js does not use it");
    expect(stdout).toMatch(/^warning +downloads /m);
  });
});

it("runs the S3 template from the bucket to the file, against a server that checks every signature", async () => {
  const { spawn } = await import("node:child_process");
  const script = new URL("../../../scripts/demo-s3.mjs", import.meta.url).pathname;
  const { code, stdout, stderr } = await ended(spawn(process.execPath, [script, "--built"], { env: cleanEnv() }));
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toContain("1/6  source s3            ok");
  expect(stdout).toContain("6/6  sink save            ok");
  expect(stdout).toContain("done: 6 stages of 6");
});
