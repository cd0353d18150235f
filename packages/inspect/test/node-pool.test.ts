import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { type ByteSource, type FetchLike, httpSource, memorySource } from "@ckptkit/core";
import { openCheckpoint } from "@ckptkit/formats";
import { fileSource, fileSourceSync, nodePlatform, workerPool } from "@ckptkit/node";
import { kernelPoolContract, plainSafetensors } from "@ckptkit/testkit";
import { fixtures, readFixture } from "@ckptkit/testkit/node";
import { loadKernels } from "@ckptkit/wasm";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkFinite, hashTensors, scanCheckpoint } from "../src/index.js";

const folder = mkdtempSync(join(tmpdir(), "ckptkit-node-pool-"));
const at = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// The script of the threads, as the build of @ckptkit/node makes it.
const script = fileURLToPath(new URL("../../node/pool-worker.mjs", import.meta.url));
execFileSync(process.execPath, [script, folder], { stdio: "inherit" });
const workerUrl = pathToFileURL(at("pool-worker.js")).href;
const kernels = await loadKernels();

/** A copy of bytes in a file, by a path of its own. */
let files = 0;
function fileOf(bytes: Uint8Array): string {
  const path = at(`${files++}.bin`);
  writeFileSync(path, bytes);
  return path;
}

/** A safetensors file with one tensor of random numbers. */
function numbersFile(count: number, value = Math.random()): string {
  const bytes = new Uint8Array(new Float32Array(count).fill(value).buffer);
  return fileOf(plainSafetensors({ numbers: { dtype: "F32", shape: [count], bytes } }));
}

const opened: ByteSource[] = [];
kernelPoolContract("threads of Node", {
  async open(size) {
    const workers: Worker[] = [];
    const createWorker = (): Worker => {
      const worker = new Worker(new URL(workerUrl));
      workers.push(worker);
      return worker;
    };
    return { pool: await workerPool({ size, createWorker }), kill: () => void workers[0]?.terminate() };
  },
  async sources(bytes, name) {
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
    shared.set(bytes);
    const file = await fileSource(fileOf(bytes));
    opened.push(file);
    return { file: renamed(file, name), memory: memorySource(bytes, name), "shared memory": memorySource(shared, name) };
  },
  files: async () => fixtures().map(({ file }) => file),
  load: readFixture,
  openCheckpoint,
  scan: (checkpoint, options) => scanCheckpoint(checkpoint, { kernels, ...options }),
  hash: (checkpoint, options) => hashTensors(checkpoint, { kernels, algorithm: "xxh3", ...options }),
});

afterAll(() => Promise.all(opened.map((source) => source.close?.())));

/** A source by another name, as formats look at the file's. */
const renamed = (source: ByteSource, name: string): ByteSource => ({ ...source, name });

describe("threads of Node", () => {
  it("count NaN and Inf, and hash with OpenSSL, as this thread alone", async () => {
    const pool = await workerPool({ size: 2, workerUrl });
    const numbers = new Float32Array(5_000_000).fill(1);
    for (const at of [3_000_000, 4_999_999]) numbers[at] = Number.NaN;
    const large = { dtype: "F32", shape: [numbers.length], bytes: new Uint8Array(numbers.buffer) };
    const small = Array.from({ length: 9 }, (_, i) => [`small.${i}`, { dtype: "F32", shape: [i], bytes: new Uint8Array(4 * i).fill(i) }]);
    const checkpoint = await openCheckpoint(await fileSource(fileOf(plainSafetensors({ large, ...Object.fromEntries(small) }))));
    const alone = await checkFinite(checkpoint, { kernels });
    expect(alone.totals).toMatchObject({ nan: 2, posInf: 0 });
    expect(await checkFinite(checkpoint, { kernels, pool })).toEqual(alone);
    const hash = { kernels, algorithm: "sha256" } as const;
    expect(await hashTensors(checkpoint, { ...hash, pool })).toEqual(await hashTensors(checkpoint, hash));
    pool.close();
    await checkpoint.close();
  });

  it("read files by themselves: no byte passes through this thread", async () => {
    const pool = await workerPool({ size: 2, workerUrl });
    const source = await fileSource(numbersFile(10_000_000));
    const checkpoint = await openCheckpoint(source);
    expect(fileSourceSync(source.name).descriptor?.()).toEqual(source.descriptor?.());
    let read = 0;
    const { readInto } = source;
    source.readInto = async (target, ...rest) => {
      read += target.length;
      return readInto?.(target, ...rest);
    };
    const { totals } = await scanCheckpoint(checkpoint, { kernels, pool });
    expect([totals.count, read]).toEqual([10_000_000, 0]);
    pool.close();
    await checkpoint.close();
  });

  it("make requests by themselves, with the headers that this thread was given", async () => {
    const bytes = plainSafetensors({ numbers: { dtype: "F32", shape: [3], bytes: new Uint8Array(Float32Array.of(1, 2, 6).buffer) } });
    let unknown = 0;
    const server = createServer((request, response) => {
      if (request.headers.authorization !== "Bearer t") unknown++;
      const [start = 0, last = 0] = /(\d+)-(\d+)/.exec(request.headers.range ?? "")?.slice(1).map(Number) ?? []; // biome-ignore format: one line
      const body = bytes.subarray(start, last + 1);
      response.writeHead(206, { etag: '"1"', "content-range": `bytes ${start}-${start + body.length - 1}/${bytes.length}` }).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const pool = await workerPool({ size: 1, workerUrl });
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/model.safetensors`; // it listens on a port
      const source = await httpSource(url, { headers: { Authorization: "Bearer t" } });
      expect(source.descriptor?.()).toMatchObject({ kind: "http" });
      const { tensors } = await scanCheckpoint(await openCheckpoint(source), { kernels, pool });
      expect([tensors[0]?.mean, unknown]).toEqual([3, 0]);
      // A function cannot be sent to a thread: then the bytes are.
      const fetch: FetchLike = (input, init) => globalThis.fetch(input, init);
      const signed = await httpSource(url, { fetch, headers: { Authorization: "Bearer t" } });
      expect((await scanCheckpoint(await openCheckpoint(signed), { kernels, pool })).tensors).toEqual(tensors);
    } finally {
      pool.close();
      server.closeAllConnections();
      server.close();
    }
  });

  it("say SOURCE_CHANGED where a path leads to another file than the one that was opened", async () => {
    const pool = await workerPool({ size: 1, workerUrl });
    const path = numbersFile(1000);
    const checkpoint = await openCheckpoint(await fileSource(path));
    renameSync(numbersFile(1000), path);
    await expect(scanCheckpoint(checkpoint, { kernels, pool })).rejects.toMatchObject({ code: "SOURCE_CHANGED" });
    pool.close();
    await checkpoint.close();
  });

  it("say why there are none, where none can be started", async () => {
    const missing = pathToFileURL(at("missing.js"));
    await expect(workerPool({ workerUrl: missing })).rejects.toMatchObject({ code: "WORKERS_UNAVAILABLE" });
    const forbidden = (): Worker => {
      throw new Error("not here");
    };
    const refused = { code: "WORKERS_UNAVAILABLE", message: expect.stringContaining("not here") };
    await expect(workerPool({ createWorker: forbidden })).rejects.toMatchObject(refused);
    writeFileSync(at("broken.js"), "process.exit(7)");
    await expect(workerPool({ workerUrl: pathToFileURL(at("broken.js")) })).rejects.toMatchObject({
      code: "WORKERS_UNAVAILABLE",
      message: expect.stringContaining("exit code 7"),
    });
  });
});

describe("nodePlatform: pool", () => {
  it("starts threads for much work, shares them with all who ask, and has none for little or where it may not", async () => {
    const platform = nodePlatform({ workers: { size: 2, workerUrl, fromBytes: 1000 } });
    expect(await platform.pool?.({ byteLength: 999 })).toBeUndefined();
    const pool = await platform.pool?.({ byteLength: 1000 });
    expect(pool?.size).toBe(2);
    expect(await platform.pool?.({ byteLength: 1 })).toBe(pool);
    expect(await platform.pool?.()).toBe(pool);
    pool?.close();
    expect(nodePlatform({ workers: false }).pool).toBeUndefined();
    const none = nodePlatform({ workers: { size: 2, workerUrl: pathToFileURL(at("missing.js")) } });
    expect(await none.pool?.()).toBeUndefined();
  });

  describe("in a program of its own", () => {
    const program = at("program.mjs");
    beforeAll(async () => {
      await build({
        stdin: {
          contents: `
import { nodePlatform, openCheckpoint } from "@ckptkit/node";
import { scanCheckpoint } from "./src/index.js";
const platform = nodePlatform({ workers: { size: 2, fromBytes: 0 } });
const controller = new AbortController();
const checkpoint = await openCheckpoint(process.argv[2], { platform });
const options = { kernels: await platform.kernels(), pool: await platform.pool(), signal: controller.signal };
if (process.argv[3]) options.onProgress = () => controller.abort(new Error("enough"));
const told = await scanCheckpoint(checkpoint, options).then(({ totals }) => totals.count, (error) => error.message);
process.stdout.write(options.pool.size + " " + told);`,
          resolveDir: fileURLToPath(new URL("..", import.meta.url)),
        },
        outfile: program,
        bundle: true,
        format: "esm",
        platform: "node",
        logLevel: "error",
      });
    });

    /** Runs it; what it printed, and whether it ended by itself. */
    const run = (...args: string[]): Promise<{ output: string; code: number | null }> =>
      new Promise((resolve, reject) => {
        const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "inherit"], timeout: 30_000 });
        let output = "";
        child.stdout.setEncoding("utf8").on("data", (text: string) => {
          output += text;
        });
        child.on("error", reject);
        child.on("close", (code) => resolve({ output, code }));
      });

    it("finds the script beside the bundle, works to the end, and does not keep the process alive", async () => {
      expect(await run(numbersFile(20_000_000))).toEqual({ output: "2 20000000", code: 0 });
    });

    it("ends at once when it was aborted", async () => {
      expect(await run(numbersFile(20_000_000), "abort")).toEqual({ output: "2 enough", code: 0 });
    });
  });
});
