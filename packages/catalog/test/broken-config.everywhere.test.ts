import { describe, expect, it } from "vitest";
import { load, refused, unmark } from "./marked.js";

const STAGE = "stages:\n  - source: local\n    path: m.ckpt\n";

// A mark stands before the character at which the defect has to be reported.
const BROKEN: readonly [what: string, marked: string, ...messages: string[]][] = [
  ["a setting that there is not", `▲maxRetry: 3\n${STAGE}`, 'maxRetry: there is no such setting. Did you mean "maxRetries"?'],
  ["a setting of another type", `maxRetries: ▲lots\n${STAGE}`, "maxRetries: expected a number, found a string"],
  ["a setting out of range", `maxRetries: ▲-1\n${STAGE}`, "maxRetries: expected number to be >=0, found -1"],
  ["a setting that must be more than nothing", `timeout: ▲0\n${STAGE}`, "timeout: expected number to be >0, found 0"],
  ["a setting that is no integer", `max_retries: ▲1.5\n${STAGE}`, "maxRetries: expected an int, found 1.5"],
  [
    "a truth value in words that YAML 1.2 does not know",
    `continueOnError: ▲yes\n${STAGE}`,
    "continueOnError: expected a boolean, found a string",
  ],
  [
    "a setting given in both spellings",
    `maxRetries: 3\n▲max_retries: 3\n${STAGE}`,
    "max_retries: the same option is given in both spellings",
  ],
  ["a model without an address", `model: ▲{}\n${STAGE}`, "model.like: expected a string, but it is missing"],
  ["a model with more", `model:\n  like: a.ckpt\n  ▲lik: b.ckpt\n${STAGE}`, 'model.lik: there is no such setting. Did you mean "like"?'],
  ["a model that is text", `model: ▲a.ckpt\n${STAGE}`, "model: expected an object, found a string"],
  ["no stages", "▲timeout: 5\n", '"stages" is missing: a list of stages was expected'],
  ["stages that are empty", "timeout: 5\n▲stages:\n", "stages: a list of stages was expected"],
  ["stages that are a map", "stages:\n  ▲source: local\n", "stages: a list of stages was expected"],
  [
    "a stage that is text",
    "stages:\n  - ▲local\n",
    'stages[0]: a stage was expected, such as "- source: local". Did you mean "- source: local"?',
  ],
  ["a stage that is a list", "stages:\n  - ▲[source, local]\n", 'stages[0]: a stage was expected, such as "- source: local".'],
  [
    "a stage that is empty",
    "stages:\n  -▲\n  - source: local\n    path: x\n",
    'stages[0]: a stage was expected, such as "- source: local".',
  ],
  ["a stage without a name", "stages:\n  - ▲path: m.ckpt\n", "stages[0]: A stage is named by one of"],
  ["a misspelt kind", "stages:\n  - path: m.ckpt\n    sauce: ▲local\n", "stages[0].sauce: A stage is named by one of"],
  ["a stage of two kinds", "stages:\n  - source: local\n    check: ▲http_head\n", "stages[0].check: A stage is named by one of"],
  [
    "a misspelt stage",
    "stages:\n  - source: local\n    path: x\n  - source: ▲locl\n",
    'stages[1].source: There is no source "locl". Did you mean "local"? Available: local.',
  ],
  [
    "a stage of a kind that has none",
    "stages:\n  - sink: ▲save\n",
    'stages[0].sink: There is no sink "save": no module that was loaded has any sink.',
  ],
  ["a target that there is not", 'stages:\n  - _target_: ▲"sample#S4Source"\n', 'stages[0]._target_: There is no stage "sample#S4Source".'],
  ["an option that is missing", "stages:\n  - ▲source: local\n", "stages[0].path: expected a string, but it is missing"],
  ["an option without a value", "stages:\n  - source: local\n    ▲path:\n", "stages[0].path: expected a string, but it is empty"],
  ["an option that is too short", 'stages:\n  - source: local\n    path: ▲""\n', "stages[0].path: "],
  [
    "an option that there is not",
    "stages:\n  - source: local\n    path: x\n    ▲pth: y\n",
    'stages[0].pth: there is no such option of local. Did you mean "path"? There are: path, maxRetries, rename, mode, parts.',
  ],
  [
    "an option in another spelling of another type",
    "stages:\n  - source: local\n    path: x\n    max_retries: ▲many\n",
    "stages[0].maxRetries: expected a number, found a string",
  ],
  ["an option that is none of its words", "stages:\n  - source: local\n    path: x\n    mode: ▲lazily\n", "stages[0].mode: expected "],
  [
    "a value in a map of free keys",
    "stages:\n  - source: local\n    path: x\n    rename:\n      encoder.layer: ▲[a]\n",
    "stages[0].rename.encoder.layer: expected a string, found an array",
  ],
  [
    "a value deep in a list",
    "stages:\n  - source: local\n    path: x\n    parts:\n      - from: a\n      - from: ▲7\n",
    "stages[0].parts[1].from: expected a string, found 7",
  ],
  [
    "what is missing deep in a list",
    "stages:\n  - source: local\n    path: x\n    parts:\n      - from: a\n      - ▲to: b\n",
    "stages[0].parts[1].from: expected a string, but it is missing",
  ],
  [
    "a key that is too much deep in a list",
    "stages:\n  - source: local\n    path: x\n    parts: [{from: a, ▲form: b}]\n",
    'stages[0].parts[0].form: there is no such option of local. Did you mean "from"?',
  ],
  [
    "an option of a stage named by its target",
    'stages:\n  - _target_: "sample#LocalSource"\n    path: ▲3\n',
    "stages[0].path: expected a string, found 3",
  ],
  ["an option in a flow map", "stages: [{source: local, path: ▲5}]\n", "stages[0].path: expected a string, found 5"],
  ["JSON", '{\n  "stages": [\n    {"source": "local", "path": ▲5}\n  ]\n}\n', "stages[0].path: expected a string, found 5"],
  [
    "JSON indented by tabs",
    '{\n\t"stages": [\n\t\t{"source": "local", "path": ▲true}\n\t]\n}\n',
    "stages[0].path: expected a string, found true",
  ],
  ["lines that end as on Windows", `timeout: 5\r\nmaxRetries: ▲no\r\n${STAGE}`, "maxRetries: expected a number, found a string"],
  ["text after characters of two units", `stages:\n  - {source: local, path: "🐍", mode: ▲x}\n`, "stages[0].mode: expected "],
  [
    "what an alias stands for, at its anchor",
    "stages:\n  - source: local\n    path: x\n    parts: &p ▲5\n  - {source: local, path: y, parts: *p}\n",
    "stages[0].parts: expected an array, found 5",
    "stages[1].parts: expected an array, found 5",
  ],
  ["a name that objects have from birth", `▲toString: 5\n${STAGE}`, "toString: there is no such setting."],
  ["a name that objects treat in their own way", `▲__proto__: 5\n${STAGE}`, "__proto__: there is no such setting."],
];

describe("a defect is told with file, line and column, and with what was expected", () => {
  it.each(BROKEN)("%s", async (_what, marked, ...messages) => {
    const { text, places } = unmark(marked);
    const found = await refused(load(text));
    expect(found.code).toBe("CONFIG_INVALID");
    for (const [index, message] of messages.entries()) expect(found.messages[index]).toContain(message);
    expect(found.issues).toHaveLength(messages.length);
    expect([...new Set(found.places)]).toEqual(places);
    expect(found.error.message).toContain(`pipeline.yaml:${places[0]}  `);
  });

  it("lists all defects of a file at once", async () => {
    const { text, places } = unmark(
      "▲maxRetry: 3\ntimeout: ▲0\nstages:\n  - source: local\n    path: ▲5\n    ▲pat: x\n  - check: ▲http_hed\n  - ▲loader\n",
    );
    const found = await refused(load(text));
    expect(found.places.sort()).toEqual(places.sort());
    expect(found.error.message).toMatch(/^The pipeline pipeline\.yaml has 6 defects:\n {2}pipeline\.yaml:/);
  });
});

describe("a file that is not YAML is told with file, line and column", () => {
  it.each([
    ["a list that is not closed", "stages: [{source: local}\n▲timeout: 5\n"],
    ["a tab where indentation is", "stages:\n▲\t- source: local\n"],
    ["a key that is there twice", "timeout: 5\n▲timeout: 6\n"],
    ["a quote that is not closed", 'timeout: "5\n▲'],
    ["an alias without an anchor", "stages: ▲*nothing\n"],
  ])("%s", async (_what, marked) => {
    const { text, places } = unmark(marked);
    const found = await refused(load(text));
    expect(found.code).toBe("CONFIG_SYNTAX");
    expect(found.places).toEqual(expect.arrayContaining(places));
  });
});

describe("what is no configuration at all", () => {
  it.each([
    ["an empty file", ""],
    ["a comment", "# nothing\n"],
    ["a list", "- source: local\n"],
    ["text", "hello\n"],
  ])("is refused: %s", async (_what, text) => {
    const found = await refused(load(text));
    expect([found.code, found.issues[0]?.file]).toEqual(["CONFIG_INVALID", "pipeline.yaml"]);
    expect(found.messages).toEqual(['a map of settings was expected, such as "stages:"']);
  });

  it("is refused in bounded time: aliases that multiply, and one that holds itself", async () => {
    const bomb = `a0: &a0 [x]\n${Array.from({ length: 30 }, (_, n) => `a${n + 1}: &a${n + 1} [${Array(10).fill(`*a${n}`)}]`).join("\n")}\n`;
    expect((await refused(load(bomb))).messages[0]).toContain("aliases may multiply");
    expect((await refused(load("stages: &s\n  - *s\n"))).messages[0]).toContain("an alias may hold itself");
    expect((await refused(load(`stages: ${"[".repeat(5000)}${"]".repeat(5000)}`))).code).toMatch(/^CONFIG_/);
  });
});
