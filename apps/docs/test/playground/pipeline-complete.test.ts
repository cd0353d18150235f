// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are the variables of pipelines
import { Catalog, pipelineJsonSchema } from "@ckptkit/catalog";
import { describe, expect, it } from "vitest";
import { completePipeline } from "../../playground/engine/pipeline/complete.js";
import { describeAt } from "../../playground/engine/pipeline/describe.js";
import { SchemaWalk } from "../../playground/engine/pipeline/schema-walk.js";

const walk = new SchemaWalk(pipelineJsonSchema(await Catalog.load()));

/** Completions at the `|` of a text. */
function at(marked: string, checkpoints: readonly string[] = []) {
  const offset = marked.indexOf("|");
  const text = marked.replace("|", "");
  const list = completePipeline(text, offset, walk, { checkpoints });
  return { text, list, labels: list?.items.map(({ label }) => label) ?? [] };
}

/** The text after a completion was taken, with `|` where the cursor is then. */
function taken(marked: string, label: string, checkpoints: readonly string[] = []): string {
  const { text, list } = at(marked, checkpoints);
  const item = list?.items.find((candidate) => candidate.label === label);
  if (!list || !item) throw new Error(`${label} is not offered: ${list?.items.map((other) => other.label).join(", ")}`);
  const insert = `${item.insert.slice(0, item.caret)}|${item.insert.slice(item.caret)}`;
  return text.slice(0, list.from) + insert + text.slice(list.to);
}

describe("keys", () => {
  it("offers the settings of a pipeline in an empty text, each in one spelling", () => {
    const { labels } = at("|");
    expect(labels).toEqual(expect.arrayContaining(["stages", "model", "continueOnError", "maxRetries", "extends"]));
    expect(labels).not.toContain("continue_on_error");
  });

  it("leaves out what is there, in either spelling", () => {
    const { labels } = at("max_retries: 3\n|\nstages: []\n");
    expect(labels).toContain("timeout");
    expect(labels).not.toContain("maxRetries");
    expect(labels).not.toContain("stages");
  });

  it("offers the kinds of stages where a stage begins", () => {
    for (const text of ["stages:\n  - |", "stages:\n  - so|", "stages:\n  - source: local\n  - |", "stages: [{|}]"]) {
      expect(at(text).labels, text).toEqual(expect.arrayContaining(["source", "check", "loader", "modifier", "sink"]));
      expect(at(text).labels, text).not.toContain("strict");
    }
  });

  it("begins a list item where there is no dash yet", () => {
    expect(taken("stages:\n  |", "source")).toBe("stages:\n  - source: |");
    expect(taken("stages:\n  - source: local\n  |", "check")).toBe("stages:\n  - source: local\n  - check: |");
  });

  it("offers the options of the stage that is there, and of no other", () => {
    const { labels } = at("stages:\n  - source: uri\n    uri: a\n    |\n  - check: finite\n");
    expect(labels.sort()).toEqual(["as", "options"]);
    expect(at("stages:\n  - loader: weights_only\n    st|").labels).toContain("strict");
    expect(at("stages: [{sink: save, |}]").labels).toEqual(expect.arrayContaining(["path", "dtype"]));
  });

  it("puts what a stage must have first, and says the default of the rest", () => {
    const { list } = at("stages:\n  - sink: save\n    |");
    const path = list?.items.find(({ label }) => label === "path");
    expect(path).toMatchObject({ detail: "required" });
    expect(Math.max(...(list?.items ?? []).map(({ rank }) => rank))).toBe(path?.rank);
    expect(list?.items.find(({ label }) => label === "checkCrc")?.info).toMatch(/checksums.*\n\nDefault: true/s);
  });

  it("replaces the whole word, and keeps a colon that is there", () => {
    expect(taken("stages:\n  - sou|rce: local", "check")).toBe("stages:\n  - check|: local");
    expect(taken("stages:\n  - sink: save\n    pa|: x.pt", "path")).toBe("stages:\n  - sink: save\n    path|: x.pt");
  });

  it("offers the forms of a migration, and then their keys", () => {
    expect(at("stages:\n  - loader: weights_only\n    migrations:\n      - |").labels).toEqual(
      expect.arrayContaining(["rename", "stripPrefix", "split", "drop"]),
    );
    expect(at("stages:\n  - loader: weights_only\n    migrations:\n      - split: a\n        |").labels).toEqual(
      expect.arrayContaining(["into", "axis", "sizes"]),
    );
  });

  it("opens a list for options that are lists", () => {
    expect(taken("stages:\n  - check: finite\n    incl|", "include")).toBe("stages:\n  - check: finite\n    include: [|]");
  });
});

describe("values", () => {
  it("offers the stages of the kind, by the names of configuration", () => {
    const { labels } = at("stages:\n  - source: |");
    expect(labels).toEqual(expect.arrayContaining(["uri", "http", "huggingface", "s3"]));
    expect(labels).not.toContain("finite");
    expect(labels).not.toContain("UriSource");
    expect(at("stages:\n  - check: fi|").list?.items.find(({ label }) => label === "finite")?.info).not.toBe("");
  });

  it("replaces a name with a slip in it, whatever options follow", () => {
    expect(taken("stages:\n  - source: uri\n    uri: a\n  - check: finit|e_\n    include: [a]\n", "finite")).toBe(
      "stages:\n  - source: uri\n    uri: a\n  - check: finite|\n    include: [a]\n",
    );
  });

  it("offers every stage of the kind, whatever options stand there", () => {
    expect(at("stages:\n  - check: |\n    allowInfinite: true\n").labels).toContain("validate");
  });

  it("offers the values that an option lists, the default told", () => {
    expect(at("stages:\n  - sink: save\n    path: a\n    dtype: |").labels).toEqual(expect.arrayContaining(["F32", "F16", "BF16"]));
    const { list } = at("stages:\n  - loader: weights_only\n    strict: |");
    expect(list?.items.map(({ label, detail }) => [label, detail])).toEqual([
      ["true", ""],
      ["false", "default"],
    ]);
  });

  it("works in quotes and in flow style", () => {
    expect(taken('stages: [{sink: save, path: a, dtype: "B|"}]', "BF16")).toBe("stages: [{sink: save, path: a, dtype: BF16|}]");
    expect(taken("stages: [{source: l|}]", "local")).toBe("stages: [{source: local|}]");
  });

  it("offers checkpoints that are open, and those that sources name", () => {
    expect(at("stages:\n  - source: uri\n    uri: |", ["model.ckpt"]).labels).toEqual(["model.ckpt"]);
    expect(at("model:\n  like: |\nstages: []", ["model.ckpt"]).labels).toEqual(["model.ckpt"]);
    expect(at("stages:\n  - sink: save\n    path: |", ["model.ckpt"]).labels).toEqual([]);
    expect(at("stages:\n  - source: uri\n    as: encoder\n  - loader: weights_only\n    from: |").labels).toEqual(["encoder"]);
    expect(taken("stages:\n  - source: uri\n    uri: |", "my model: 2.ckpt", ["my model: 2.ckpt"])).toContain('uri: "my model: 2.ckpt"|');
  });

  it("offers the variables of the text after a dollar and a brace", () => {
    expect(at("# $${NO}\nstages:\n  - source: uri\n    uri: ${CHECKPOINT}\n  - sink: save\n    path: ${|").labels).toEqual(["CHECKPOINT"]);
  });
});

describe("where nothing can be offered", () => {
  it.each(["# a com|ment", "stages: # so|", "stages:\n  - source: local\n    path: a b|", "stages:\n  -|", "stages:|"])(
    "is silent: %s",
    (text) => {
      expect(at(text).list).toBeUndefined();
    },
  );

  it("never throws, wherever the cursor stands in a text that is cut off anywhere", () => {
    const text =
      'model:\n  like: ${A:-b}\nstages:\n  - source: uri\n    uri: "x\n  - {check: finite, include: [a, *b]}\n  - &c loader: [weights\n';
    for (let end = 0; end <= text.length; end += 3) {
      for (let offset = 0; offset <= end; offset += 5) completePipeline(text.slice(0, end), offset, walk, { checkpoints: ["a"] });
    }
  });
});

describe("what a page cannot do", () => {
  it("says so where it is offered", () => {
    const blob = at("stages:\n  - source: |").list?.items.find(({ label }) => label === "blob");
    expect(blob).toMatchObject({ detail: "not in a page", info: expect.stringContaining("Only a program") });
  });
});

describe("documentation of a word", () => {
  const text = "continueOnError: true\nstages:\n  - loader: weights_only\n    strict: true\n    migrations:\n      - rename: {a: b}\n";
  const about = (word: string) => describeAt(text, text.indexOf(word) + 1, walk);

  it("tells options, with their type and default", () => {
    expect(about("strict")).toMatchObject({ title: "strict", type: "boolean", text: expect.stringContaining("Default: false") });
    expect(about("continueOnError")?.text).toMatch(/^Goes on with the next stage/);
    expect(about("rename")?.text).toMatch(/^Old path/);
  });

  it("tells what a stage does and which options it has", () => {
    expect(about("weights_only")).toMatchObject({
      title: "loader: weights_only",
      values: expect.arrayContaining(["strict", "migrations"]),
    });
  });

  it("is silent about values and names of one's own", () => {
    expect(about("true")).toBeUndefined();
    expect(describeAt("stages:\n  - nonsense: 1", 14, walk)).toBeUndefined();
  });
});
