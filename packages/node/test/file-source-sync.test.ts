import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { byteSourceContract, codeOf, expectSameBytes, patternBytes } from "@ckptkit/testkit";
import { describe, expect, it } from "vitest";
import { fileSourceSync, nodePlatform } from "../src/index.js";
import { tempFolder } from "./temp-folder.js";

const { at } = tempFolder();
let files = 0;
const bytes = patternBytes(100_000);
const newFile = (content: Uint8Array = bytes): string => {
  const path = at(`file-${files++}.bin`);
  writeFileSync(path, content);
  return path;
};

byteSourceContract("fileSourceSync", async (content) => fileSourceSync(newFile(content)));

describe("fileSourceSync", () => {
  it("reads without waiting, and with", async () => {
    const path = newFile();
    for (const given of [path, pathToFileURL(path)]) {
      const source = fileSourceSync(given);
      expectSameBytes(source.readSync?.(10, 90_000) ?? new Uint8Array(0), bytes.subarray(10, 90_000));
      expectSameBytes(await source.read(10, 90_000), bytes.subarray(10, 90_000));
      await source.close?.();
    }
  });

  it("refuses ranges outside of the file, and reads after closing", async () => {
    const source = fileSourceSync(newFile());
    expect(() => source.readSync?.(0, 100_001)).toThrow(expect.objectContaining({ code: "OUT_OF_RANGE" }));
    await source.close?.();
    expect(() => source.readSync?.(0, 1)).toThrow(expect.objectContaining({ code: "SOURCE_CLOSED" }));
  });

  it("notices that the file changes", async () => {
    const path = newFile();
    const source = fileSourceSync(path);
    appendFileSync(path, "more");
    expect(() => source.readSync?.(0, 1)).toThrow(expect.objectContaining({ code: "SOURCE_CHANGED" }));
    expect(await codeOf(source.read(0, 1))).toBe("SOURCE_CHANGED");
    await source.close?.();
  });

  it("refuses folders, names similar files, and leaves addresses to those who wait", () => {
    mkdirSync(at("folder"));
    expect(() => fileSourceSync(at("folder"))).toThrow(expect.objectContaining({ code: "NOT_A_FILE" }));
    writeFileSync(at("model.ckpt"), "");
    expect(() => fileSourceSync(at("modle.ckpt"))).toThrow(
      expect.objectContaining({ code: "NOT_FOUND", suggestions: [expect.stringContaining("model.ckpt")] }),
    );
    expect(() => nodePlatform().openSync?.("https://example.org/a")).toThrow(expect.objectContaining({ code: "STAGE_ASYNC_ONLY" }));
  });
});
