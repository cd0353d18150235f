import { CheckpointNotFoundError, CheckpointSourceError, similarNames } from "@ckptkit/core";
import { describe, expect, it } from "vitest";
import { fileError } from "../src/file-errors.js";

const system = (code: string): Error => Object.assign(new Error(`${code}: as the system says it`), { code });

describe("errors of the file system", () => {
  it.each([
    ["ENOSPC", "written", "NO_SPACE"],
    ["EDQUOT", "written", "NO_SPACE"],
    ["EFBIG", "written", "NO_SPACE"],
    ["EROFS", "written", "ACCESS_DENIED"],
    ["EACCES", "written", "ACCESS_DENIED"],
    ["EPERM", "opened", "ACCESS_DENIED"],
    ["EIO", "written", "WRITE_FAILED"],
    ["EIO", "read", "READ_FAILED"],
    ["ESTALE", "read", "SOURCE_CHANGED"],
    ["EMFILE", "opened", "READ_FAILED"],
    ["ENAMETOOLONG", "written", "WRITE_FAILED"],
  ] as const)("turn %s, when a file is %s, into %s with words and a suggestion", async (code, action, expected) => {
    const cause = system(code);
    const error = await fileError(cause, "/models/a.ckpt", action);
    expect(error).toBeInstanceOf(CheckpointSourceError);
    expect(error).toMatchObject({ code: expected, cause, details: { path: "/models/a.ckpt", systemCode: code } });
    expect(error.message).toContain("/models/a.ckpt");
    expect(error.suggestions.length).toBeGreaterThan(0);
  });

  it("can be retried only where waiting helps", async () => {
    expect(await fileError(system("EMFILE"), "a", "opened")).toMatchObject({ retryable: true });
    expect(await fileError(system("EIO"), "a", "read")).toMatchObject({ retryable: false });
  });

  it("pass when they are ours already", async () => {
    const ours = new CheckpointNotFoundError("NOT_FOUND", "ours");
    expect(await fileError(ours, "a", "read")).toBe(ours);
  });
});

describe("similar names", () => {
  const names = ["epoch=3-step=100.ckpt", "epoch=3-step=110.ckpt", "last.ckpt", "LAST.pt", "notes.txt", "config.json"];

  it("are those with a letter wrong, another suffix or another case, best first", () => {
    expect(similarNames("epoch=3-step=10.ckpt", names)).toEqual(["epoch=3-step=100.ckpt", "epoch=3-step=110.ckpt"]);
    expect(similarNames("last.safetensors", names)).toEqual(["LAST.pt", "last.ckpt"]);
  });

  it("are three at the most, and none where nothing is alike", () => {
    expect(similarNames("model-1.bin", ["model-2.bin", "model-3.bin", "model-4.bin", "model-5.bin"])).toHaveLength(3);
    expect(similarNames("weights.gguf", names)).toEqual([]);
  });
});
