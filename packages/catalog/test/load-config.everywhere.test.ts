import type { StageLike } from "@ckptkit/core/pipeline";
import { describe, expect, it } from "vitest";
import { checkConfig, defineConfig, loadConfig, parseOverride } from "../src/index.js";
import { catalog, load, refused, unmark } from "./marked.js";

const STAGES = "stages:\n  - source: local\n    path: m.ckpt\n";

/** Files by name, as `readRelative` of a folder. */
const folder =
  (files: Readonly<Record<string, string>>) =>
  async (name: string): Promise<{ text: string; file: string }> => {
    const text = files[name];
    if (text === undefined) throw new Error(`There is no file ${name}.`);
    return { text, file: name };
  };
const set = (...texts: string[]) => ({ overrides: texts.map(parseOverride) });

describe("settings", () => {
  it("have defaults", async () => {
    expect(await load(STAGES)).toEqual({ continueOnError: false, asyncExecution: true, stages: [{ source: "local", path: "m.ckpt" }] });
  });

  it.each([
    "cacheDir: /c\nmaxRetries: 5\ntimeout: 2.5\ncontinueOnError: true\nasyncExecution: false\n",
    "cache_dir: /c\nmax_retries: 5\ntimeout: 2.5\ncontinue_on_error: true\nasync_execution: false\n",
    '{"cacheDir": "/c", "max_retries": 5, "timeout": 2.5, "continueOnError": true, "asyncExecution": false, "stages": [{"source": "local", "path": "m.ckpt"}]}',
  ])("may be written in camelCase, in snake_case and as JSON: %j", async (text) => {
    expect(await load(text.startsWith("{") ? text : text + STAGES)).toMatchObject({
      cacheDir: "/c",
      maxRetries: 5,
      timeout: 2.5,
      continueOnError: true,
      asyncExecution: false,
    });
  });

  it("may name a model, and the schema for editors", async () => {
    expect((await load(`$schema: ./pipeline.schema.json\nmodel: {like: base.safetensors}\n${STAGES}`)).model).toEqual({
      like: "base.safetensors",
    });
  });
});

describe("extends", () => {
  it("merges maps and replaces lists, the last file on top", async () => {
    const readRelative = folder({
      "a.yaml": `timeout: 1\nmaxRetries: 1\nmodel: {like: a.ckpt}\n${STAGES}`,
      "b.yaml": "maxRetries: 2\n",
    });
    const config = await load("extends: [a.yaml, b.yaml]\ntimeout: 3\n", { readRelative });
    expect(config).toMatchObject({ timeout: 3, maxRetries: 2, model: { like: "a.ckpt" }, stages: [{ source: "local" }] });
    expect((await load("extends: a.yaml\nstages: [{check: http_head}]\n", { readRelative })).stages).toEqual([{ check: "http_head" }]);
  });

  it("reads files relative to the file that names them", async () => {
    const asked: [string, string][] = [];
    const read = folder({ "x/a.yaml": "extends: ../b.yaml\n", "b.yaml": STAGES });
    await load("extends: x/a.yaml\n", {
      readRelative: (name, from) => {
        asked.push([name, from]);
        return read(name === "../b.yaml" ? "b.yaml" : name);
      },
    });
    expect(asked).toEqual([
      ["x/a.yaml", "pipeline.yaml"],
      ["../b.yaml", "x/a.yaml"],
    ]);
  });

  it("may read one file by two ways", async () => {
    const readRelative = folder({ "a.yaml": "extends: c.yaml\n", "b.yaml": "extends: c.yaml\n", "c.yaml": STAGES });
    expect((await load("extends: [a.yaml, b.yaml]", { readRelative })).stages).toHaveLength(1);
  });

  it("names a circle", async () => {
    const { text, places } = unmark("timeout: 1\nextends: ▲pipeline.yaml\n");
    const readRelative = folder({ "a.yaml": "extends: b.yaml\n", "b.yaml": text, "pipeline.yaml": "extends: a.yaml\n" });
    const found = await refused(load("extends: a.yaml\n", { readRelative }));
    expect(found.messages).toEqual([
      "extends: the files extend one another in a circle: pipeline.yaml -> a.yaml -> b.yaml -> pipeline.yaml",
    ]);
    expect([found.issues[0]?.file, ...found.places]).toEqual(["b.yaml", ...places]);
  });

  it("points into the file in which a value stands", async () => {
    const base = unmark("stages:\n  - source: local\n    path: ▲5\n");
    const own = unmark("# mine\nextends: a.yaml\ntimeout: ▲none\n");
    const found = await refused(load(own.text, { readRelative: folder({ "a.yaml": base.text }) }));
    expect(found.issues.map(({ file, line, column }) => `${file} ${line}:${column}`)).toEqual([
      `pipeline.yaml ${own.places[0]}`,
      `a.yaml ${base.places[0]}`,
    ]);
  });

  it.each([
    ["extends: ▲[]x", /./],
    ["extends: ▲{a: b}", "the path of a file was expected"],
    ["extends: [▲5]", "the path of a file was expected"],
    ["extends: ▲nowhere.yaml", "There is no file nowhere.yaml."],
  ])("points at what cannot be extended: %s", async (marked, message) => {
    const { text, places } = unmark(`timeout: 1\n${marked}\n`);
    const found = await refused(load(text, { readRelative: folder({}) }));
    expect(found.messages[0]).toMatch(message);
    if (found.code === "CONFIG_INVALID") expect(found.places).toEqual(places);
  });
});

describe("values of the command line", () => {
  it("win over the file, and make what is missing on their way", async () => {
    const config = await load(`timeout: 1\n${STAGES}`, set("timeout=2", "model.like=a=b.ckpt", "stages[0].path=other.ckpt"));
    expect(config).toMatchObject({ timeout: 2, model: { like: "a=b.ckpt" }, stages: [{ source: "local", path: "other.ckpt" }] });
  });

  it.each(["stages.local.path", "stages.source.path", "stages.0.path"])("reach a stage by its name, kind or number: %s", async (path) => {
    expect((await load(STAGES, set(`${path}=other`))).stages).toEqual([{ source: "local", path: "other" }]);
  });

  it("replace a value whichever way its name is written in the file", async () => {
    expect((await load(`max_retries: 1\n${STAGES}`, set("maxRetries=7"))).maxRetries).toBe(7);
  });

  it("append stages, and may be lists and maps", async () => {
    const config = await load(STAGES, set("stages.1.check=http_head", "stages.0.parts=[{from: a}]"));
    expect(config.stages).toEqual([{ source: "local", path: "m.ckpt", parts: [{ from: "a" }] }, { check: "http_head" }]);
  });

  it.each([
    ["123", "123"],
    ["true", "true"],
    ["1e3", "1e3"],
    ["C:\\models\\a.ckpt", "C:\\models\\a.ckpt"],
    ["s3://bucket/a: b.ckpt", "s3://bucket/a: b.ckpt"],
    ['"quoted"', "quoted"],
    ["a#b", "a#b"],
    ["*.weight", "*.weight"],
    ["&x y", "&x y"],
  ])("are text where text is wanted: %s", async (given, path) => {
    expect((await load(STAGES, set(`stages.0.path=${given}`))).stages).toEqual([{ source: "local", path }]);
  });

  it("are named in errors as what they are", async () => {
    const found = await refused(load(STAGES, set("stages.0.mode=fast")));
    expect(found.issues).toHaveLength(1);
    expect(found.error.message).toContain("--set stages.0.mode  stages[0].mode: expected ");
  });

  it.each([
    ["nothing", "key=value was expected"],
    ["=5", "key=value was expected"],
    ["a..b=5", "key=value was expected"],
    ["stages.0.parts=[", "is not valid YAML"],
    ["stages.3.path=x", "the list has 1 entries, so the next one would be 1"],
    ["stages.s3.path=x", '"s3" names no stage; there are 0 (local, source)'],
    ["stages.0.path.deep=x", '"deep" leads into a value that is no map and no list'],
  ])("are refused with the reason: %s", async (text, message) => {
    const found = await refused((async () => load(STAGES, set(text)))());
    expect([found.code, found.error.message]).toEqual(["INVALID_ARGUMENT", expect.stringContaining(message)]);
  });

  it("are refused where a name stands for several stages", async () => {
    const found = await refused((async () => load(`${STAGES}  - source: local\n    path: b\n`, set("stages.local.path=x")))());
    expect(found.error.message).toContain('"local" names 2 stages: 0, 1; give the number of one');
  });
});

describe("configuration as a value, as TypeScript files give it", () => {
  it("is checked in the same way, without lines", async () => {
    const found = await refused((async () => checkConfig({ stages: [{ source: "local" }], tmeout: 5 }, await catalog, "pipeline.ts"))());
    expect(found.error.message).toContain('  pipeline.ts  tmeout: there is no such setting. Did you mean "timeout"?');
    expect(found.error.message).toContain("  pipeline.ts  stages[0].path: expected a string, but it is missing");
  });

  it("may hold stages that are made already, and undefined for what is left out", async () => {
    const stage: StageLike = { kind: "check", name: "mine", process: (context) => context };
    const config = await loadConfig(
      { file: "pipeline.ts", value: { timeout: undefined, stages: [stage, { source: "local", path: "x", mode: undefined }] } },
      await catalog,
    );
    expect(config.stages).toEqual([stage, { source: "local", path: "x" }]);
    expect(config.stages[0]).toBe(stage);
  });

  it.each([
    [{ stages: [{ source: "local", path: () => "x" }] }, "stages[0].path: plain values were expected, found function"],
    [{ stages: 5n }, "stages: plain values were expected, found bigint"],
    [undefined, "plain values were expected, found undefined"],
    [[], 'an object with "stages" was expected, found a list'],
    ["text", 'an object with "stages" was expected, found text'],
  ])("is refused when it is not plain: case %#", async (value, message) => {
    expect((await refused((async () => checkConfig(value, await catalog))())).messages).toEqual([message]);
  });

  it("is refused when it holds itself", async () => {
    const stages: unknown[] = [];
    stages.push(stages);
    expect((await refused((async () => checkConfig({ stages }, await catalog))())).error.message).toContain("that hold themselves");
  });

  it("is given back by defineConfig as it is", () => {
    const config = { stages: [{ _target_: "a#B", x: 1 }] };
    expect(defineConfig(config)).toBe(config);
  });
});

it("text that only begins to look like something is never taken for more than text", async () => {
  const { stages } = await load("stages: [{source: local, path: 1.0.0}]");
  expect(stages).toEqual([{ source: "local", path: "1.0.0" }]);
});
