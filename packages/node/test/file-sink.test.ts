import { spawn } from "node:child_process";
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { byteSinkContract, codeOf, expectSameBytes, patternBytes } from "@ckptkit/testkit";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import { fileSink } from "../src/index.js";
import { tempFolder } from "./temp-folder.js";

const { at } = tempFolder();
let count = 0;
/** A path in a new folder of its own. */
function newPath(name = "out.bin"): string {
  const folder = at(`sink-${count++}`);
  mkdirSync(folder);
  return join(folder, name);
}
const namesBeside = (path: string): string[] => readdirSync(dirname(path));

byteSinkContract("fileSink", () => {
  const path = newPath();
  return { create: () => fileSink(path), visible: () => (existsSync(path) ? new Uint8Array(readFileSync(path)) : undefined) };
});

describe("fileSink", () => {
  it("leaves nothing but the file after a commit, and nothing after an abort", async () => {
    const path = newPath();
    const sink = await fileSink(pathToFileURL(path));
    await sink.write(patternBytes(1000));
    expect(namesBeside(path)).toEqual([expect.stringMatching(/^\.out\.bin\.ckptkit-[0-9a-f]{12}\.tmp$/)]);
    await sink.commit();
    expect(namesBeside(path)).toEqual(["out.bin"]);
    const other = await fileSink(join(dirname(path), "other.bin"));
    await other.write(patternBytes(1000));
    await other.abort();
    expect(namesBeside(path)).toEqual(["out.bin"]);
  });

  it("keeps the old file until the commit, and keeps its mode", async () => {
    const path = newPath();
    writeFileSync(path, "old");
    chmodSync(path, 0o640);
    const sink = await fileSink(path);
    await sink.write(new TextEncoder().encode("new"));
    expect(readFileSync(path, "utf8")).toBe("old");
    await sink.commit();
    expect(readFileSync(path, "utf8")).toBe("new");
    expect(statSync(path).mode % 0o1000).toBe(0o640);
  });

  it("gives a new file the mode that any new file gets", async () => {
    const path = newPath();
    const sink = await fileSink(path);
    await sink.commit();
    expect(statSync(path).mode % 0o1000).toBe(0o666 & ~process.umask());
  });

  it("makes the folders above, and takes them away again when it is aborted", async () => {
    const path = newPath("a/b/c.bin");
    const sink = await fileSink(path);
    await sink.abort();
    expect(existsSync(dirname(dirname(path)))).toBe(false);
    const again = await fileSink(path);
    await again.commit();
    expect(existsSync(path)).toBe(true);
  });

  it("does not take away a folder that someone else put a file into", async () => {
    const path = newPath("a/b/c.bin");
    const sink = await fileSink(path);
    writeFileSync(join(dirname(dirname(path)), "theirs"), "");
    await sink.abort();
    expect(existsSync(join(dirname(dirname(path)), "theirs"))).toBe(true);
    expect(existsSync(dirname(path))).toBe(false);
  });

  it("writes through a symbolic link to the file behind it", async () => {
    const path = newPath();
    const link = join(dirname(path), "link.bin");
    writeFileSync(path, "old");
    symlinkSync(path, link);
    const sink = await fileSink(link);
    await sink.write(new TextEncoder().encode("new"));
    await sink.commit();
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readFileSync(path, "utf8")).toBe("new");
  });

  it("begins to flush before the commit, and keeps every byte, or none after an abort", async () => {
    const path = newPath();
    const piece = patternBytes(5_000_000);
    const sink = await fileSink(path);
    for (let times = 0; times < 12; times++) await sink.write(piece);
    await sink.commit();
    const found = new Uint8Array(readFileSync(path));
    expect(found.length).toBe(60_000_000);
    for (let times = 0; times < 12; times++) expectSameBytes(found.subarray(times * 5_000_000, (times + 1) * 5_000_000), piece);
    const other = await fileSink(join(dirname(path), "other.bin"));
    for (let times = 0; times < 4; times++) await other.write(piece);
    await other.abort();
    expect(namesBeside(path)).toEqual(["out.bin"]);
  });

  it("shortens long names for the temporary file", async () => {
    const path = newPath(`${"ü".repeat(120)}.bin`);
    const sink = await fileSink(path);
    await sink.commit();
    expect(existsSync(path)).toBe(true);
  });

  it("writes what is in shared and WebAssembly memory", async () => {
    const path = newPath();
    const memory = new WebAssembly.Memory({ initial: 1 });
    const bytes = patternBytes(1000);
    new Uint8Array(memory.buffer, 100, 1000).set(bytes);
    const sink = await fileSink(path);
    await sink.write(new Uint8Array(memory.buffer, 100, 1000));
    await sink.commit();
    expectSameBytes(new Uint8Array(readFileSync(path)), bytes);
  });

  it("replaces nothing when it may not, also when the file appears only while it writes", async () => {
    const path = newPath();
    const sink = await fileSink(path, { overwrite: false });
    await sink.write(patternBytes(10));
    writeFileSync(path, "theirs");
    expect(await codeOf(sink.commit())).toBe("DESTINATION_EXISTS");
    expect(await codeOf(fileSink(path, { overwrite: false }))).toBe("DESTINATION_EXISTS");
    expect(readFileSync(path, "utf8")).toBe("theirs");
    expect(namesBeside(path)).toEqual(["out.bin"]);
  });

  it("writes a new file when it may not replace one", async () => {
    const path = newPath();
    const sink = await fileSink(path, { overwrite: false });
    await sink.write(patternBytes(10));
    await sink.commit();
    expectSameBytes(new Uint8Array(readFileSync(path)), patternBytes(10));
    expect(namesBeside(path)).toEqual(["out.bin"]);
  });

  it("refuses folders and devices", async () => {
    const path = newPath();
    expect(await codeOf(fileSink(dirname(path)))).toBe("NOT_A_FILE");
    if (process.platform !== "win32") expect(await codeOf(fileSink("/dev/null"))).toBe("NOT_A_FILE");
    writeFileSync(path, "");
    expect(await codeOf(fileSink(join(path, "below")))).toBe("NOT_FOUND");
  });

  it.skipIf(process.platform === "win32" || process.getuid?.() === 0)(
    "says ACCESS_DENIED for a folder that may not be written",
    async () => {
      const path = newPath();
      chmodSync(dirname(path), 0o555);
      expect(await codeOf(fileSink(path))).toBe("ACCESS_DENIED");
    },
  );

  it.skipIf(!existsSync("/proc/self/status"))("says where a file cannot be made at all", async () => {
    expect(["ACCESS_DENIED", "NOT_FOUND", "WRITE_FAILED"]).toContain(await codeOf(fileSink("/proc/ckptkit-out.bin")));
  });

  it.skipIf(process.platform === "win32")("leaves the old file as it was when the process is killed in the middle", async () => {
    const program = at("slow-writer.mjs");
    await build({
      entryPoints: [fileURLToPath(new URL("./slow-writer.ts", import.meta.url))],
      outfile: program,
      bundle: true,
      format: "esm",
      platform: "node",
    });
    const path = newPath("model.ckpt");
    writeFileSync(path, "old");
    const child = spawn(process.execPath, [program, path], { stdio: ["ignore", "pipe", "inherit"] });
    await new Promise((resolve) => child.stdout.once("data", resolve));
    const exited = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await exited;
    expect(readFileSync(path, "utf8")).toBe("old");
    expect(namesBeside(path).sort()).toEqual([expect.stringMatching(/^\.model\.ckpt\.ckptkit-[0-9a-f]{12}\.tmp$/), "model.ckpt"]);
  });
});
