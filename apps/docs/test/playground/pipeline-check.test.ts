// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are the variables of pipelines
import { Catalog, loadConfig } from "@ckptkit/catalog";
import { describe, expect, it } from "vitest";
import { checkPipeline } from "../../playground/engine/pipeline/check.js";
import { purposeOf, variablesOf } from "../../playground/engine/pipeline/draft.js";
import { pipelineTemplates } from "../../playground/engine/pipeline/templates.js";
import { commandLine } from "../../playground/views/pipeline/command-line.js";
import { holdsSecret, packDraft, unpackDraft } from "../../playground/views/pipeline/draft-store.js";

const catalog = await Catalog.load();
const check = (text: string, variables: Record<string, string> = {}) => checkPipeline({ text, file: "pipeline.yaml", variables }, catalog);
const templates = pipelineTemplates();

describe("templates", () => {
  it("are those of the catalog, what runs with the open checkpoint alone first", () => {
    expect(templates).toHaveLength(16);
    const alone = templates.filter(({ needs }) => needs === "nothing").map(({ id }) => id);
    expect(templates.slice(0, alone.length).map(({ id }) => id)).toEqual(alone);
    expect(alone).toEqual(expect.arrayContaining(["lightning-to-safetensors", "inspect-and-audit", "quantize"]));
    expect(templates.find(({ id }) => id === "lora-merge")?.needs).toBe("another");
    expect(templates.find(({ id }) => id === "nightly-verification")?.needs).toBe("value");
    expect(templates.find(({ id }) => id === "s3-freeze-and-save")?.needs).toBe("bucket");
  });

  it.each(templates.map((template) => [template.id, template] as const))(
    "%s is accepted as soon as its variables have values",
    async (_, template) => {
      const { text, purpose, variables } = template;
      expect(purpose).toMatch(/^[A-Z].{20,}[.?]$/s);
      for (const { name, about } of variables) expect(about, name).not.toBe("");
      const before = await check(text);
      const needed = variables.filter(({ fallback }) => fallback === undefined).map(({ name }) => name);
      expect(before.missing).toEqual(needed);
      expect(before.problems.filter(({ severity }) => severity === "error")).toEqual([]);
      const values = Object.fromEntries(
        needed.map((name) => [name, name === "S3_URL" ? "s3://bucket/key.ckpt" : name === "SHA256" ? "0".repeat(64) : "model.safetensors"]),
      );
      const after = await check(text, values);
      expect(after).toMatchObject({ isReady: true, problems: [], missing: [], error: undefined });
      expect(after.stages.length).toBeGreaterThan(1);
    },
  );
});

describe("defects", () => {
  const text = "stages:\n  - source: uri\n    uri: a.ckpt\n  - check: finit\n  - sink: save\n    pth: out.safetensors\n";

  it("stand where they are, in the words of the command", async () => {
    const { problems, isReady } = await check(text);
    const told = await loadConfig({ text, file: "pipeline.yaml" }, catalog).catch((error: Error) => error.message);
    expect(isReady).toBe(false);
    expect(problems.length).toBeGreaterThanOrEqual(2);
    for (const problem of problems) expect(String(told)).toContain(problem.text);
    const [first] = problems;
    expect(first).toMatchObject({ line: 4, column: 12, severity: "error", meant: "finite" });
    expect(text.slice(first?.from, first?.to)).toBe("finit");
    expect(problems.map(({ from, to }) => text.slice(from, to))).toContain("pth");
  });

  it("are all told while variables are missing, and none is told of what only waits for one", async () => {
    const { problems, missing } = await check(
      "stages:\n  - source: s3\n    url: ${A}\n  - check: finit\n  - sink: save\n    path: b.pt\n    maxShardBytes: ${B}\n",
    );
    expect(missing).toEqual(["A", "B"]);
    expect(problems.filter(({ severity }) => severity === "error").map(({ line }) => line)).toEqual([4]);
    expect(problems.filter(({ severity }) => severity === "warning").map(({ line }) => line)).toEqual([3, 7]);
  });

  it("of syntax have a place too, and what can be read is still sketched", async () => {
    const { problems, stages } = await check("stages:\n  - source: uri\n  - check: [finite\n");
    expect(problems[0]?.line).toBeGreaterThanOrEqual(3);
    expect(stages[0]).toMatchObject({ kind: "source", name: "uri" });
  });

  it("says what a page cannot do, without keeping the rest from being used", async () => {
    const { problems, isReady } = await check("cache_dir: x\nstages:\n  - source: uri\n    uri: a\n");
    expect(isReady).toBe(true);
    expect(problems).toMatchObject([{ severity: "warning", line: 1, column: 1, message: expect.stringContaining("ckpt command") }]);
  });
});

describe("variables", () => {
  it("are read as the catalog reads them", () => {
    expect(variablesOf("# $${NOT}\n#   OUT  where it goes\n# ${COMMENT}\na: ${IN} ${OUT:-x.pt} $${NOT} ${OUT}\n")).toEqual([
      { name: "OUT", about: "where it goes", fallback: "x.pt" },
      { name: "IN", about: "", fallback: undefined },
    ]);
    expect(purposeOf("# One thing.\n# And more.\n#\n#   A  a\nstages: []")).toBe("One thing. And more.");
  });

  it("show in the flow as what they stand for", async () => {
    const { stages } = await check("stages:\n  - source: uri\n    uri: ${IN}\n  - sink: save\n    path: ${OUT:-x.pt}\n", { IN: "a.ckpt" });
    expect(stages.map(({ about }) => about)).toEqual(["a.ckpt", "x.pt"]);
  });

  it("become the environment of the command", () => {
    expect(commandLine("shard.yaml", { CHECKPOINT: "it's mine.pt", OUTPUT: "" })).toBe("CHECKPOINT='it'\\''s mine.pt' ckpt run shard.yaml");
  });
});

describe("a draft in an address", () => {
  const draft = { text: "stages: [] # ü €\n".repeat(40), file: "a.yaml", variables: { A: "1" } };

  it("comes back whole, and takes less room than the text", async () => {
    const packed = await packDraft(draft);
    expect(packed).toMatch(/^[\w-]+$/);
    expect(packed.length).toBeLessThan(draft.text.length / 3);
    expect(await unpackDraft(packed)).toEqual(draft);
  });

  it("is nothing when it was cut off, made up, or unfolds without end", async () => {
    const packed = await packDraft(draft);
    for (const bad of ["", "!", "abc", packed.slice(0, -9), await packDraft({ ...draft, text: " ".repeat(5_000_000) })]) {
      expect(await unpackDraft(bad), bad.slice(0, 20)).toBeUndefined();
    }
  });

  it("is not kept with a secret in it", () => {
    const base = { file: "a.yaml", variables: {} };
    expect(holdsSecret({ ...base, text: "stages:\n  - source: huggingface\n    token: hf_abc\n" })).toBe(true);
    expect(holdsSecret({ ...base, text: "secret_access_key: abc" })).toBe(true);
    expect(holdsSecret({ ...base, text: "token: ${HF_TOKEN}" })).toBe(false);
    expect(holdsSecret({ ...base, text: "a", variables: { HF_TOKEN: "x" } })).toBe(true);
    expect(holdsSecret({ ...base, text: "a", variables: { CHECKPOINT: "https://x.org/a?X-Amz-Signature=1" } })).toBe(true);
  });
});
