import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const MAIN = fileURLToPath(new URL("../dist/main.js", import.meta.url));
const CHUNKS = join(dirname(MAIN), "chunks");

/** The text of all files that are loaded before the first line of a command runs: what it imports other than by `import()`. */
function loadedFirst(command: string): string {
  const own = readdirSync(CHUNKS).find((name) => new RegExp(`^${command}-[A-Z0-9]+\\.js$`).test(name)) ?? "";
  const files = new Set([MAIN, join(CHUNKS, own)]);
  let all = "";
  for (const file of files) {
    const text = readFileSync(file, "utf8");
    all += text;
    for (const [, path = ""] of text.matchAll(/^(?:import|export)\b[^"()]*"(\.[^"]+)";/gm)) {
      const imported = join(dirname(file), path);
      expect(existsSync(imported), imported).toBe(true);
      files.add(imported);
    }
  }
  return all;
}

it("ckpt inspect loads nothing that only addresses, downloads, edits or other commands need", () => {
  const text = loadedFirst("inspect");
  expect(text).toContain("function inspect(");
  expect(text).toContain("torch-zip");
  for (const stranger of [
    "AWS4-HMAC-SHA256", // what signs requests to S3
    "aws_access_key_id",
    "huggingface.co/api",
    "function editableFile(",
    "function folderDownloads(",
    "function jsKernels(",
    "function writeSafetensors(",
    "function scanCheckpoint(",
    'from "zod"',
    'from "yaml"',
  ]) {
    expect(text.includes(stranger), stranger).toBe(false);
  }
});
