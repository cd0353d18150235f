// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are the variables of configuration files
import { describe, expect, it } from "vitest";
import { loadConfig, parseOverride } from "../src/index.js";
import { catalog, load, refused, unmark } from "./marked.js";

const set = (...texts: string[]) => ({ overrides: texts.map(parseOverride) });
const environment = (values: Readonly<Record<string, string>>) => ({ environment: (name: string) => values[name] });

describe("environment variables", () => {
  it("are put into text, with defaults for those that are not set or empty", async () => {
    const text = "stages:\n  - source: local\n    path: ${ROOT}/${NAME:-model}.${EMPTY:-ckpt}\n";
    const { stages } = await load(text, environment({ ROOT: "/data", EMPTY: "" }));
    expect(stages).toEqual([{ source: "local", path: "/data/model.ckpt" }]);
  });

  it("may be empty where there is no default, and are left alone behind a second $", async () => {
    const { stages } = await load('stages: [{source: local, path: "a${EMPTY}$${HOME}"}]', environment({ EMPTY: "" }));
    expect(stages).toEqual([{ source: "local", path: "a${HOME}" }]);
  });

  it("are numbers and truth values where those are wanted, and text where that is wanted", async () => {
    const text = "maxRetries: ${N}\ncontinueOnError: ${YES}\nstages: [{source: local, path: '${N}', max_retries: '${N}'}]\n";
    const config = await load(text, environment({ N: "5", YES: "true" }));
    expect(config).toMatchObject({ maxRetries: 5, continueOnError: true, stages: [{ source: "local", path: "5", max_retries: 5 }] });
  });

  it("never become maps, lists or further variables", async () => {
    const { stages } = await load("stages: [{source: local, path: '${V}'}]", environment({ V: "{a: [${W}]}", W: "w" }));
    expect(stages).toEqual([{ source: "local", path: "{a: [${W}]}" }]);
  });

  it("that are missing are all told, with their places, and never with the values of others", async () => {
    const { text, places } = unmark(
      "cacheDir: ▲${ROOT}/x\nstages:\n  - source: local\n    path: ▲${SECRET}/${NAME}\n  - {source: local, path: ▲a$}\n",
    );
    const found = await refused(load(text.replace("a$}", "'${a.b}'}"), environment({ SECRET: "hunter2" })));
    expect(found.code).toBe("CONFIG_VARIABLE");
    expect(found.messages).toEqual([
      "cacheDir: the environment variable ROOT is not set",
      "stages[0].path: the environment variable NAME is not set",
      "stages[1].path: the name of an environment variable was expected between the braces",
    ]);
    expect(found.places).toEqual(places);
    expect(JSON.stringify(found.error)).not.toContain("hunter2");
    expect(found.error.suggestions[0]).toBe("Set ROOT, or give a default: ${ROOT:-...}.");
  });

  it("are not missed where the command line sets the value", async () => {
    const config = await load("stages: [{source: local, path: '${PATH_OF_IT}'}]", { ...environment({}), ...set("stages.0.path=x") });
    expect(config.stages).toEqual([{ source: "local", path: "x" }]);
  });

  it("are put into the values of TypeScript files too", async () => {
    const value = { stages: [{ source: "local", path: "${NAME}.ckpt" }] };
    const options = { ...environment({ NAME: "m" }), ...set("maxRetries=1") };
    expect(await loadConfig({ file: "p.ts", value }, await catalog, options)).toMatchObject({
      maxRetries: 1,
      stages: [{ path: "m.ckpt" }],
    });
  });
});
