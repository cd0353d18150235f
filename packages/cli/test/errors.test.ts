import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { open, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify, stripVTControlCharacters } from "node:util";
import { ERROR_CODES } from "@ckptkit/core";
import { damage } from "@ckptkit/testkit";
import { fixture, readFixture } from "@ckptkit/testkit/node";
import { describe, expect, it } from "vitest";
import { BIN, ckpt, ckptJson, cleanEnv, type ErrorJson, scratch } from "./ckpt.js";

const VIT = fixture("vit-tiny.ckpt").path;

describe("help", () => {
  it.each([[], ["inspect"], ["scan"], ["hash"], ["convert"]])("is there with examples: ckpt %s --help", async (...command) => {
    const { code, stdout, stderr } = await ckpt(...command, "--help");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("Examples:\n  ckpt ");
    expect(stdout).toContain("--verbose");
  });

  it("is printed, with exit code 2, when no command is given", async () => {
    const { code, stdout, stderr } = await ckpt();
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("Usage: ckpt");
  });

  it("knows the version", async () => {
    const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
    expect((await ckpt("--version")).stdout).toBe(`${version}\n`);
  });
});

describe("a wrong command line", () => {
  it.each([
    [["inspect", "--jsno", VIT], "Unknown option '--jsno'.", "--json"],
    [["inspcet", VIT], "Unknown command 'inspcet'.", "ckpt inspect"],
    [["model.ckpt"], "Unknown command 'model.ckpt'.", "ckpt inspect model.ckpt"],
    [["inspect"], "Missing required argument 'uri'.", "ckpt inspect --help"],
    [["inspect", "a", "b"], "Too many arguments", "ckpt inspect --help"],
    [["hash", VIT, "-a", "sha1"], "It must be one of sha256, xxh3, xxh3-128, blake3, crc32, crc32c, md5.", ""],
    [["scan", VIT, "--filter", ""], '--filter "" is not a glob.', "Give one such as '*.weight'"],
    [["hash", VIT, "--filter", "*"], "--filter chooses tensors", "Add --tensors."],
    [["convert", VIT, "x.safetensors", "--max-shard-size", "big"], "It must be a size such as 500MB", ""],
    [["convert", VIT, "x.pt", "--max-shard-size", "1GB"], "--max-shard-size is for safetensors", ""],
    [["convert", VIT, "-"], "The output must be a file", ""],
    [["inspect", "-"], "Standard input cannot be read", "Save it to a file first"],
  ])("ckpt %j ends with exit code 2 and says what to try", async (args, message, suggestion) => {
    const { code, stdout, stderr } = await ckpt(...args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^error\[[A-Z_]+\]: /);
    expect(stderr).toContain(message);
    expect(stderr).toContain(`  try: ${suggestion}`);
    expect(stderr).not.toContain("    at ");
  });

  it("is told as JSON with --json", async () => {
    const { code, json } = await ckptJson<ErrorJson>("inspect", VIT, "--filtre", "x");
    expect([code, json.error.code]).toEqual([2, "INVALID_ARGUMENT"]);
    expect(json.error.suggestions).toContain("--filter");
  });
});

describe("a file that cannot be read", () => {
  it("that is not there is named, with similar names", async () => {
    const { code, stderr } = await ckpt("inspect", VIT.replace("vit-tiny", "vit-tyni"));
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error\[NOT_FOUND\]: /);
    expect(stderr).toContain("vit-tiny.ckpt");
  });

  it("gives code, message, details and suggestions as JSON", async () => {
    const { code, json, stderr } = await ckptJson<ErrorJson>("scan", "/no/such/file");
    expect([code, stderr]).toEqual([2, ""]);
    expect(json).toEqual({
      error: { code: "NOT_FOUND", message: expect.any(String), details: expect.any(Object), suggestions: expect.any(Array) },
    });
  });

  it("shows a stack with --verbose only", async () => {
    expect((await ckpt("inspect", "/no/such/file")).stderr).not.toContain("    at ");
    expect((await ckpt("--verbose", "inspect", "/no/such/file")).stderr).toContain("    at ");
    expect((await ckpt("inspect", "/no/such/file", "-v")).stderr).toContain("    at ");
  });

  it("that is cut off ends with exit code 2", async () => {
    const file = join(await scratch(), "cut.ckpt");
    await writeFile(file, await readFixture("vit-tiny.ckpt"));
    await truncate(file, 300_000);
    const { code, json } = await ckptJson<ErrorJson>("inspect", file);
    expect(code).toBe(2);
    expect(json.error.code).toBe("ZIP_NO_END_RECORD");
  });

  it.each(Array.from({ length: 6 }, (_, seed) => [seed]))("or is damaged gives a coded error or a result: seed %i", async (seed) => {
    const file = join(await scratch(), "damaged.pt");
    const { bytes, description } = damage(await readFixture("conv-bn.pt"), seed);
    await writeFile(file, bytes);
    const { code, json } = await ckptJson<Partial<ErrorJson>>("hash", "--tensors", file);
    expect([0, 1, 2], description).toContain(code);
    if (json.error) expect(Object.keys(ERROR_CODES), description).toContain(json.error.code);
    expect(json.error?.code, description).not.toBe("INTERNAL");
  });
});

it.skipIf(!existsSync("/dev/full"))("says so when its output cannot be written", async () => {
  const full = await open("/dev/full", "w");
  const child = spawn(process.execPath, [BIN, "inspect", VIT], { stdio: ["ignore", full.fd, "pipe"], env: cleanEnv() });
  const stderr: Buffer[] = [];
  child.stderr?.on("data", (bytes: Buffer) => stderr.push(bytes));
  const [code] = await once(child, "close");
  await full.close();
  expect(code).toBe(2);
  expect(Buffer.concat(stderr).toString()).toMatch(/^error\[WRITE_FAILED\]: .*ENOSPC/);
});

it.skipIf(process.platform !== "linux")("uses colour and the terminal's width on a terminal", async () => {
  const command = `stty cols 60 2>/dev/null; '${process.execPath}' '${BIN}' inspect '${VIT}'`;
  const run = promisify(execFile)("script", ["-qec", command, "/dev/null"], { env: cleanEnv({ TERM: "xterm" }) });
  const { stdout } = await run.catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return { stdout: undefined };
    throw error;
  });
  if (stdout === undefined) return; // util-linux is not installed
  expect(stdout).toContain("\u001b[1m");
  const lines = stripVTControlCharacters(stdout).split("\r\n");
  expect(Math.max(...lines.filter((line) => !line.includes(VIT)).map((line) => line.length))).toBeLessThanOrEqual(60);
});
