import { spawn } from "node:child_process";
import { mkdtemp, rm, stat, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bigTorchZip } from "@ckptkit/testkit/node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BIN } from "./ckpt.js";

const MB = 1e6;
/** Prints the process's largest resident set, in KiB, at its end. */
const METER = `data:text/javascript,${encodeURIComponent('process.on("exit", () => process.stderr.write("maxRSS " + process.resourceUsage().maxRSS + "\\n"))')}`;

/** Runs the command and gives its exit code and the most memory that it held, in bytes. */
function measure(...args: string[]): Promise<{ code: number | null; residentBytes: number; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--import", METER, BIN, ...args], { stdio: ["ignore", "ignore", "pipe"] });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stderr, residentBytes: Number(/maxRSS (\d+)/.exec(stderr)?.[1]) * 1024 }));
  });
}

describe("the memory that ckpt holds", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "ckptkit-memory-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each([5e8, 3e9])(
    "stays under 250 MB while %d bytes are converted, scanned and hashed",
    async (bytes) => {
      const { bavail, bsize } = await statfs(folder);
      expect(bavail * bsize, "room for the test's files").toBeGreaterThan(bytes * 1.1);
      const big = await bigTorchZip({ bytes, tensors: 200 });
      try {
        const out = join(folder, "out.safetensors");
        const converted = await measure("convert", big.path, out);
        expect(converted.code, converted.stderr).toBe(0);
        expect((await stat(out)).size).toBeGreaterThan(bytes * 0.99);
        await rm(out);
        const scanned = await measure("scan", big.path);
        expect(scanned.code, scanned.stderr).toBe(0);
        const hashed = await measure("hash", "--tensors", "--algorithm", "xxh3", big.path);
        expect(hashed.code, hashed.stderr).toBe(0);
        for (const { residentBytes } of [converted, scanned, hashed]) expect(residentBytes / MB).toBeLessThan(250);
      } finally {
        await big.remove();
      }
    },
    300_000,
  );
});
