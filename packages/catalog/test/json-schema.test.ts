import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import Ajv2020 from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { Catalog, checkConfig, pipelineJsonSchema } from "../src/index.js";
import { TEMPLATES } from "./pipeline-run.js";

const catalog = await Catalog.load();
const schema = pipelineJsonSchema(catalog);
const validate = new Ajv2020.default({
  strict: true,
  strictTypes: false,
  strictRequired: false,
  allErrors: true,
  formats: { uri: (text: string) => URL.canParse(text) },
}).compile(schema);

describe("the JSON Schema of pipelines", () => {
  it.each(readdirSync(TEMPLATES))("accepts the template %s", (file) => {
    const value: unknown = parse(readFileSync(join(TEMPLATES, file), "utf8"));
    expect(validate(value), JSON.stringify(validate.errors)).toBe(true);
  });

  it("has every stage of the catalog, with every option described", () => {
    const { properties } = schema as {
      properties: { stages: { items: { anyOf: { title: string; properties?: Record<string, object> }[] } } };
    };
    const found = properties.stages.items.anyOf;
    for (const { kind, name, schema: options } of catalog.list()) {
      const entry = found.find(({ title }) => title === `${kind}: ${name}`);
      expect(entry, `${kind} ${name}`).toBeDefined();
      for (const option of Object.keys(options?.shape ?? {})) {
        expect(entry?.properties?.[option], `${kind} ${name}: ${option}`).toHaveProperty("description");
      }
    }
  });

  // What the schema and the loader have to agree on.
  it.each([
    [{ stages: [] }, true],
    [{ stages: [{ source: "local" }] }, true],
    [{ stages: [{ source: "LocalSource", path: "x" }] }, true],
    [{ stages: [{ source: "local", path: "x", as: "encoder" }] }, true],
    [{ stages: [{ loader: "transfer_learning", skip_mismatched: false }], max_retries: 3 }, true],
    [{ stages: [{ modifier: "freezing", submodules_to_freeze: ["a"] }] }, true],
    [{ stages: [{ _target_: "@ckptkit/stages/sources#LocalSource", path: "x" }] }, true],
    [{ stages: [{ check: "checksum", tensors: { w: "00ff" } }], model: { like: "a" } }, true],
    [{}, false],
    [{ stages: "x" }, false],
    [{ stages: [{ source: "locl" }] }, false],
    [{ stages: [{ source: "local", pth: "x" }] }, false],
    [{ stages: [{ source: "local", path: 5 }] }, false],
    [{ stages: [{ source: "local", as: "" }] }, false],
    [{ stages: [{ modifier: "freezing" }] }, false],
    [{ stages: [{ sink: "save" }] }, false],
    [{ stages: [{ loader: "weights_only", strict: "maybe" }] }, false],
    [{ stages: [{ source: "local", check: "finite" }] }, false],
    [{ stages: ["local"] }, false],
    [{ stages: [], timeout: -1 }, false],
    [{ stages: [], maxRetry: 1 }, false],
    [{ stages: [], model: {} }, false],
  ])("agrees with the loader on %j: %s", (value, isValid) => {
    let loads = true;
    try {
      checkConfig(value, catalog);
    } catch {
      loads = false;
    }
    expect([validate(value), loads]).toEqual([isValid, isValid]);
  });

  it("lets whatever is not text come from an environment variable", () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of configuration files
    const variable = "${VALUE:-3}";
    expect(validate({ stages: [{ loader: "weights_only", strict: variable }], maxRetries: variable, timeout: variable })).toBe(true);
    expect(validate({ stages: [{ modifier: "freezing", submodulesToFreeze: [variable] }] })).toBe(true);
  });

  it("lets a file that extends another leave the stages to it", () => {
    expect(validate({ extends: "base.yaml", timeout: 5 })).toBe(true);
    expect(validate({ extends: ["a.yaml", "b.yaml"] })).toBe(true);
    expect(validate({ extends: [5] })).toBe(false);
  });
});
