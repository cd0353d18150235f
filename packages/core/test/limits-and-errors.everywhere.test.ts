import { describe, expect, it } from "vitest";
import {
  CheckpointConfigError,
  CheckpointError,
  CheckpointIntegrityError,
  CheckpointLoadError,
  CheckpointNotFoundError,
  CheckpointSourceError,
  CheckpointTimeoutError,
  checkLimit,
  DEFAULT_LIMITS,
  ERROR_CODES,
  withLimits,
} from "../src/index.js";

describe("limits", () => {
  it("replace only what is given", () => {
    expect(withLimits({ tensors: 5, treeDepth: undefined })).toEqual({ ...DEFAULT_LIMITS, tensors: 5 });
    expect(withLimits()).toEqual(DEFAULT_LIMITS);
  });

  it("allow their own value and refuse one more, with the name and the way to raise it", () => {
    const limits = withLimits({ tensors: 5 });
    checkLimit(limits, "tensors", 5, "The checkpoint");
    expect(() => checkLimit(limits, "tensors", 6, "The checkpoint")).toThrow(
      expect.objectContaining({
        code: "LIMIT_EXCEEDED",
        details: { limit: "tensors", allowed: 5, found: 6 },
        suggestions: [expect.stringContaining("tensors: 6")],
      }),
    );
    expect(() => checkLimit(limits, "tensors", Number.NaN, "The checkpoint")).toThrow(CheckpointLoadError);
  });
});

describe("errors", () => {
  it.each([
    [CheckpointLoadError, "CheckpointLoadError", CheckpointError],
    [CheckpointIntegrityError, "CheckpointIntegrityError", CheckpointLoadError],
    [CheckpointNotFoundError, "CheckpointNotFoundError", CheckpointError],
    [CheckpointSourceError, "CheckpointSourceError", CheckpointError],
    [CheckpointConfigError, "CheckpointConfigError", CheckpointError],
  ] as const)("%o has its name and its place in the hierarchy", (ErrorClass, name, parent) => {
    const error = new ErrorClass("NOT_FOUND", "message");
    expect(error.name).toBe(name);
    expect(error).toBeInstanceOf(parent);
    expect(error).toBeInstanceOf(Error);
  });

  it("print as plain JSON and keep their cause", () => {
    const cause = new Error("below");
    const error = new CheckpointLoadError("ZIP_CORRUPT", "broken", { details: { at: 5 }, suggestions: ["fetch it again"], cause });
    expect(error.cause).toBe(cause);
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      code: "ZIP_CORRUPT",
      message: "broken",
      details: { at: 5 },
      suggestions: ["fetch it again"],
    });
  });

  it("tell whether another try may help", () => {
    expect(new CheckpointSourceError("READ_FAILED", "x").retryable).toBe(false);
    expect(new CheckpointSourceError("READ_FAILED", "x", { retryable: true, retryAfterMs: 5 })).toMatchObject({
      retryable: true,
      retryAfterMs: 5,
    });
    const timeout = new CheckpointTimeoutError("Reading", 1500);
    expect(timeout).toMatchObject({
      code: "TIMEOUT",
      retryable: true,
      name: "CheckpointTimeoutError",
      details: { operation: "Reading", timeoutMs: 1500 },
    });
    expect(timeout.message).toContain("1.5 s");
  });

  it("have codes with one line of meaning each", () => {
    for (const [code, meaning] of Object.entries(ERROR_CODES)) {
      expect(code).toMatch(/^[A-Z][A-Z0-9_]*$/);
      expect(meaning).toMatch(/\.$|\.\)$/);
    }
  });
});
