import {
  CheckpointConfigError,
  CheckpointError,
  CheckpointIncompatibleError,
  CheckpointLoadError,
  CheckpointNotFoundError,
  CheckpointSourceError,
  CheckpointTimeoutError,
  CheckpointValidationError,
} from "@ckptkit/core";
import { incompatibleError } from "@ckptkit/stages/model";
import { describe, expect, it } from "vitest";

describe("errors", () => {
  it("are one hierarchy with the names of the reference system", () => {
    const kinds = [
      new CheckpointNotFoundError("NOT_FOUND", "m"),
      new CheckpointLoadError("EMPTY_FILE", "m"),
      new CheckpointIncompatibleError("INCOMPATIBLE", "m"),
      new CheckpointValidationError("CHECK_FAILED", "m"),
      new CheckpointConfigError("CONFIG_INVALID", "m"),
      new CheckpointSourceError("READ_FAILED", "m"),
      new CheckpointTimeoutError("The download", 300_000),
    ];
    for (const error of kinds) {
      expect(error).toBeInstanceOf(CheckpointError);
      expect(error.name).toBe(error.constructor.name);
    }
  });

  it("carry message, details and the original error", () => {
    const cause = new Error("original");
    const error = new CheckpointLoadError("EMPTY_FILE", "It is empty.", { details: { path: "a.ckpt" }, cause });
    expect(error).toMatchObject({ message: "It is empty.", details: { path: "a.ckpt" }, cause });
  });

  it("show the first five differences of each kind and keep all of them", () => {
    const missingKeys = Array.from({ length: 8 }, (_, index) => `missing.${index}`);
    const error = incompatibleError({
      missingKeys,
      unexpectedKeys: ["extra"],
      shapeMismatches: [{ name: "w", expected: [2], found: [3] }],
    });
    expect(error.message).toContain("8 missing from the checkpoint: missing.0, missing.1, missing.2, missing.3, missing.4 and 3 more");
    expect(error.message).not.toContain("missing.5");
    expect(error.details).toMatchObject({ missingKeys, unexpectedKeys: ["extra"], shapeMismatches: [{ name: "w" }] });
  });

  it("of time say what took too long, and how long it might take", () => {
    const error = new CheckpointTimeoutError("The download of a.ckpt", 300_000);
    expect(error).toMatchObject({ code: "TIMEOUT", details: { operation: "The download of a.ckpt", timeoutMs: 300_000 }, retryable: true });
    expect(error.message).toContain("300 s");
  });
});
