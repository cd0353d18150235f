import { CheckpointConfigError } from "@ckptkit/core";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { parseOptions } from "../src/options.js";

const schema = z.strictObject({
  skipMismatched: z.boolean().default(true),
  dtype: z.enum(["F32", "F16"]).optional(),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  password: z.string().min(8).optional(),
  maxRetries: z.int().min(0).default(3),
  headers: z.record(z.string(), z.string()).default({}),
  rules: z
    .array(
      z.union([
        z.strictObject({ stripPrefix: z.string() }),
        z.strictObject({ rename: z.record(z.string(), z.string()), keepOld: z.boolean().optional() }),
      ]),
    )
    .default([]),
});

const errorOf = (input: unknown): CheckpointConfigError => {
  try {
    parseOptions(schema, input as z.input<typeof schema>, "ExampleLoader"); // what JavaScript and YAML may hand over
  } catch (error) {
    if (error instanceof CheckpointConfigError) return error;
    throw error;
  }
  throw new Error("The options were accepted.");
};

describe("options of stages", () => {
  it("get their defaults", () => {
    expect(parseOptions(schema, {}, "ExampleLoader")).toEqual({ skipMismatched: true, maxRetries: 3, headers: {}, rules: [] });
  });

  it("may be written in snake_case, at every depth, and maps of free keys keep theirs", () => {
    const input: unknown = {
      skip_mismatched: false,
      max_retries: 5,
      headers: { x_api_key: "k" },
      rules: [{ strip_prefix: "module." }, { rename: { old_name: "new_name" }, keep_old: true }],
    };
    expect(parseOptions(schema, input as z.input<typeof schema>, "ExampleLoader")).toEqual({
      skipMismatched: false,
      maxRetries: 5,
      headers: { x_api_key: "k" },
      rules: [{ stripPrefix: "module." }, { rename: { old_name: "new_name" }, keepOld: true }],
    });
  });

  it("name the stage, the path, what was expected and what was found, for every problem at once", () => {
    const error = errorOf({ skipMismatched: "yes", maxRetries: -1, dtype: "F64" });
    expect(error.code).toBe("INVALID_ARGUMENT");
    expect(error.message).toMatch(/ExampleLoader.*"skipMismatched".*boolean.*string.*"dtype".*"F32".*"F64".*"maxRetries".*-1/);
    expect(error.details).toMatchObject({
      stage: "ExampleLoader",
      problems: [
        { path: "skipMismatched", expected: "a boolean", found: "a string" },
        { path: "dtype", found: '"F64"' },
        { path: "maxRetries", found: "-1" },
      ],
    });
  });

  it("tell which options there are when one is not known", () => {
    const error = errorOf({ skipMismatch: true });
    expect(error.message).toContain('"skipMismatch"');
    expect(error.suggestions.join()).toContain("skipMismatched");
  });

  it("point into the form of a union that was meant", () => {
    const error = errorOf({ rules: [{ strip_prefix: 5 }] });
    expect(error.message).toContain('"rules.0.stripPrefix"');
    expect(error.message).not.toContain("rename");
  });

  it("never show the text of a string that may be a secret", () => {
    expect(JSON.stringify(errorOf({ password: "hunter2", sha256: "hunter2" }))).not.toContain("hunter2");
  });

  it("refuse one option that is given under both of its names", () => {
    expect(errorOf({ skipMismatched: true, skip_mismatched: false }).message).toContain("twice");
  });

  it("refuse what is no object", () => {
    expect(errorOf(7).message).toContain("expected an object, found 7");
    expect(errorOf(null).message).toContain("found null");
  });
});
