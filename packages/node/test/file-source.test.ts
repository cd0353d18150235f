import { execFileSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  renameSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { homedir } from "node:os";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { type CheckpointError, CheckpointNotFoundError } from "@ckptkit/core";
import { byteSourceContract, codeOf, expectSameBytes, patternBytes } from "@ckptkit/testkit";
import { describe, expect, it } from "vitest";
import { fileSource } from "../src/index.js";
import { tempFolder } from "./temp-folder.js";

const { folder, at } = tempFolder();
let count = 0;
/** A new file with these bytes, last written to a minute ago. */
function fileOf(bytes: Uint8Array, name = `file-${count++}.bin`): string {
  const path = at(name);
  writeFileSync(path, bytes);
  const past = new Date(Date.now() - 60_000);
  utimesSync(path, past, past);
  return path;
}
const errorOf = (promise: Promise<unknown>): Promise<CheckpointError> =>
  promise.then(
    () => Promise.reject(new Error("It did not reject.")),
    (error: CheckpointError) => error,
  );

byteSourceContract("fileSource", (bytes) => fileSource(fileOf(bytes)));

describe("fileSource", () => {
  it("takes file: addresses, and paths with spaces, percent signs and other letters", async () => {
    const bytes = patternBytes(100);
    const path = fileOf(bytes, "ein Modell 100% fertig ü.ckpt");
    for (const given of [path, pathToFileURL(path), String(pathToFileURL(path)), relative(process.cwd(), path)]) {
      const source = await fileSource(given);
      expectSameBytes(await source.read(0, 100), bytes);
      expect(source.descriptor?.()).toMatchObject({ kind: "file", path });
      await source.close?.();
    }
  });

  it("takes ~ for the home folder", async () => {
    const error = await errorOf(fileSource("~/no such file.ckpt"));
    expect(error.message).toContain(join(homedir(), "no such file.ckpt"));
  });

  it("reads beyond 4 GiB exactly", async () => {
    const path = fileOf(new Uint8Array(0));
    const size = 5 * 1024 ** 3;
    truncateSync(path, size);
    const marks = patternBytes(1000);
    const file = openSync(path, "r+");
    writeSync(file, marks, 0, 1000, size - 1000);
    writeSync(file, marks, 0, 1000, 2 ** 32 - 500);
    closeSync(file);
    const source = await fileSource(path);
    expect(source.size).toBe(size);
    expectSameBytes(await source.read(size - 1000, size), marks);
    expectSameBytes(await source.read(2 ** 32 - 500, 2 ** 32 + 500), marks);
    await source.close?.();
  });

  it("fills shared memory and reads that take several calls", async () => {
    const bytes = patternBytes(1000);
    const path = fileOf(bytes);
    truncateSync(path, 130 * 1024 * 1024);
    const source = await fileSource(path);
    const target = new Uint8Array(new SharedArrayBuffer(129 * 1024 * 1024));
    target[target.length - 1] = 1;
    await source.readInto?.(target, 0);
    expectSameBytes(target.slice(0, 1000), bytes);
    expect(target[target.length - 1]).toBe(0);
    await source.close?.();
  });

  it("stops a long read between two calls when it is aborted", async () => {
    const path = fileOf(new Uint8Array(0));
    truncateSync(path, 1024 ** 3);
    const source = await fileSource(path);
    const controller = new AbortController();
    const reason = new Error("stop");
    const read = errorOf(source.readInto?.(new Uint8Array(512 * 1024 * 1024), 0, { signal: controller.signal }) ?? Promise.resolve());
    controller.abort(reason);
    expect(await read).toBe(reason);
    await source.close?.();
  });
});

describe("fileSource: files that change", () => {
  it("says SOURCE_CHANGED and both sizes when the file was cut off", async () => {
    const path = fileOf(patternBytes(10_000));
    const source = await fileSource(path);
    truncateSync(path, 4000);
    const error = await errorOf(source.read(3000, 5000));
    expect(error.code).toBe("SOURCE_CHANGED");
    expect(error.details).toMatchObject({ sizeBefore: 10_000, sizeNow: 4000 });
    await source.close?.();
  });

  it("says SOURCE_CHANGED when the file grew, or was written to", async () => {
    const path = fileOf(patternBytes(10_000));
    const source = await fileSource(path);
    await source.read(0, 100);
    writeFileSync(path, patternBytes(10_000, 2));
    expect(await codeOf(source.read(0, 100))).toBe("SOURCE_CHANGED");
    await source.close?.();
    const again = await fileSource(path);
    writeFileSync(path, "more", { flag: "a" });
    expect(await codeOf(again.read(0, 100))).toBe("SOURCE_CHANGED");
    await again.close?.();
  });

  it("goes on with the file that it opened when another is renamed to its name or it is deleted", async () => {
    const bytes = patternBytes(10_000);
    const path = fileOf(bytes);
    const source = await fileSource(path);
    renameSync(fileOf(patternBytes(10_000, 2)), path);
    expectSameBytes(await source.read(0, 10_000), bytes);
    await source.close?.();
  });
});

describe("fileSource: what cannot be opened", () => {
  it("names up to three similar files", async () => {
    mkdirSync(at("models"));
    for (const name of ["model.ckpt", "model.safetensors", "Model-v2.ckpt", "moddel.ckpt", "unrelated.txt"])
      writeFileSync(at(`models/${name}`), "");
    const error = await errorOf(fileSource(at("models/modle.ckpt")));
    expect(error).toBeInstanceOf(CheckpointNotFoundError);
    expect(error.code).toBe("NOT_FOUND");
    const [suggestion = ""] = error.suggestions;
    expect(suggestion).toContain("model.ckpt");
    expect(suggestion).toContain("moddel.ckpt");
    expect(suggestion).not.toContain("unrelated");
    expect((await errorOf(fileSource(at("models/model.pt")))).suggestions.join()).toContain("model.safetensors");
  });

  it("says that the folder is missing, and which one above it exists", async () => {
    const error = await errorOf(fileSource(at("nowhere/deep/model.ckpt")));
    expect(error.code).toBe("NOT_FOUND");
    expect(error.suggestions.join()).toContain(`${at("nowhere/deep")} does not exist; ${folder} does`);
  });

  it("says so when a part of the path is a file", async () => {
    const path = fileOf(patternBytes(1));
    expect(await codeOf(fileSource(join(path, "model.ckpt")))).toBe("NOT_FOUND");
  });

  it("says NOT_A_FILE for a folder, and which files in it to choose from", async () => {
    mkdirSync(at("hub"));
    for (let shard = 1; shard <= 5; shard++) writeFileSync(at(`hub/model-${shard}.safetensors`), "");
    writeFileSync(at("hub/README.md"), "");
    const error = await errorOf(fileSource(at("hub")));
    expect(error.code).toBe("NOT_A_FILE");
    expect(error.suggestions.join()).toContain("model-1.safetensors, model-2.safetensors, model-3.safetensors and 2 more");
    expect(error.suggestions.join()).not.toContain("README");
  });

  it.skipIf(process.platform === "win32")("does not wait for a pipe or read a device", async () => {
    execFileSync("mkfifo", [at("pipe")]);
    expect(await codeOf(fileSource(at("pipe")))).toBe("NOT_A_FILE");
    expect(await codeOf(fileSource("/dev/null"))).toBe("NOT_A_FILE");
  });

  it.skipIf(process.platform === "win32" || process.getuid?.() === 0)("says ACCESS_DENIED for a file that may not be read", async () => {
    const path = fileOf(patternBytes(1));
    chmodSync(path, 0o000);
    expect(await codeOf(fileSource(path))).toBe("ACCESS_DENIED");
  });

  it.skipIf(process.platform === "win32")("says what is wrong with links and names", async () => {
    symlinkSync(at("loop"), at("loop"));
    expect(await codeOf(fileSource(at("loop")))).toBe("NOT_FOUND");
    symlinkSync(at("gone"), at("dangling"));
    expect(await codeOf(fileSource(at("dangling")))).toBe("NOT_FOUND");
    expect(await codeOf(fileSource(at("x".repeat(300))))).toBe("NOT_FOUND");
  });

  it.each(["", "model\0.ckpt", "file://elsewhere/model.ckpt"])("refuses %o as a path", async (path) => {
    expect(await codeOf(fileSource(path))).toBe("INVALID_ARGUMENT");
  });

  it("stops before it opens anything when it was aborted", async () => {
    const reason = new Error("no longer wanted");
    expect(await errorOf(fileSource(at("nothing"), { signal: AbortSignal.abort(reason) }))).toBe(reason);
  });
});
