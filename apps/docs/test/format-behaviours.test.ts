import { readFileSync } from "node:fs";
import { CheckpointLoadError, memorySource, type Tree } from "@ckptkit/core";
import { detectLayout, extractStateDict, openCheckpoint } from "@ckptkit/formats";
import { describe, expect, it } from "vitest";
import { ROOT } from "../src/pages.js";
import { safetensors } from "./safetensors.js";

const { tree } = await openCheckpoint(memorySource(safetensors({ w: [1] }), "a.safetensors"));
const map = (entries: Record<string, Tree>): Tree => ({ kind: "map", type: "dict", entries: Object.entries(entries) });
const list: Tree = { kind: "list", type: "list", items: [] };

describe("the layout of a checkpoint", () => {
  it("is lightning by its version key, or by two of its other keys", () => {
    expect(detectLayout(map({ "pytorch-lightning_version": "2.6", state_dict: tree }))).toBe("lightning");
    for (const [one, other] of [
      ["callbacks", "loops"],
      ["optimizer_states", "lr_schedulers"],
      ["callbacks", "lr_schedulers"],
    ] as const) {
      expect(detectLayout(map({ [one]: list, [other]: list, state_dict: tree }))).toBe("lightning");
      expect(detectLayout(map({ [one]: list, state_dict: tree }))).not.toBe("lightning");
    }
  });

  it.each(["model_state_dict", "optimizer_state_dict", "scheduler_state_dict"])("is pytorch by the key %s", (key) => {
    expect(detectLayout(map({ [key]: tree }))).toBe("pytorch");
  });

  it("is state_dict for a map of tensors only, and pytorch for anything else", () => {
    expect(detectLayout(tree)).toBe("state_dict");
    expect(detectLayout(map({}))).toBe("pytorch");
    expect(detectLayout(map({ weights: tree, note: "text" }))).toBe("pytorch");
    expect(detectLayout(3)).toBe("pytorch");
  });

  it("is told by content, whatever the extension", async () => {
    const bytes = new Uint8Array(readFileSync(`${ROOT}fixtures/files/vit-tiny.ckpt`));
    for (const name of ["vit-tiny.ckpt", "vit-tiny.pt", "vit-tiny.unknown", "vit-tiny"]) {
      expect(await openCheckpoint(memorySource(bytes, name))).toMatchObject({ format: "torch-zip", layout: "lightning" });
    }
  });
});

describe("a file that cannot be read", () => {
  it("is refused with a load error when it is empty or no checkpoint", async () => {
    const open = (text: string) => openCheckpoint(memorySource(new TextEncoder().encode(text), "model.ckpt"));
    await expect(open("")).rejects.toMatchObject({ name: "CheckpointLoadError", code: "EMPTY_FILE" });
    await expect(open("this is no checkpoint at all")).rejects.toBeInstanceOf(CheckpointLoadError);
  });
});

describe("the state dict", () => {
  it("is found under state_dict, then model_state_dict, then model, else in the map itself", () => {
    const other = map({ other: tree });
    expect(extractStateDict(map({ model: other, model_state_dict: other, state_dict: tree })).keys).toEqual(["state_dict"]);
    expect(extractStateDict(map({ model: other, model_state_dict: tree })).keys).toEqual(["model_state_dict"]);
    expect(extractStateDict(map({ model: tree })).keys).toEqual(["model"]);
    expect(extractStateDict(tree).keys).toEqual([]);
  });

  it("is refused with the first ten keys and a suggestion when it is not there", () => {
    const keys = Array.from({ length: 12 }, (_, index) => `key${index}`);
    expect(() => extractStateDict(map(Object.fromEntries(keys.map((key) => [key, 1]))))).toThrow(
      expect.objectContaining({
        name: "CheckpointValidationError",
        code: "NO_STATE_DICT",
        details: { keys: keys.slice(0, 10) },
        suggestions: [expect.any(String)],
      }),
    );
  });
});
