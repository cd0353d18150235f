// Scans a local file in Chromium: beside a bare loop that only reads the same slices, and the kernels beside the same kernels in Node.
//   node bench/browser-scan.mjs [--gigabytes=2] [--file=PATH] [--reads]
// --reads compares ways to read a Blob instead: sizes of slices, how many at a time, in the page, in workers, FileReaderSync.
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { chromium } from "playwright-core";

const ROUNDS = Number(process.env.ROUNDS ?? 5);
const MIB = 1024 * 1024;
const here = fileURLToPath(new URL(".", import.meta.url));
const packageFolder = join(here, "../packages/browser");
const { values } = parseArgs({
  options: { gigabytes: { type: "string", default: "2" }, file: { type: "string" }, reads: { type: "boolean" } },
});
const folder = mkdtempSync(join(tmpdir(), "ckptkit-bench-"));
const file = values.file ?? join(folder, "large.safetensors");
const executablePath = process.env.CKPTKIT_CHROMIUM ?? ["/usr/bin/chromium", "/usr/bin/google-chrome"].find((path) => existsSync(path));

const print = (...columns) =>
  process.stdout.write(
    `${columns
      .map((column) => String(column).padEnd(34))
      .join("")
      .trimEnd()}\n`,
  );
const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** A safetensors file of random float32 numbers, in tensors of 64 MiB. */
function writeFile(path, gigabytes) {
  const count = Math.round(gigabytes * 16);
  const block = new Float32Array(16 * MIB).map(() => Math.random() * 2 - 1);
  const header = {};
  for (let i = 0; i < count; i++) {
    header[`layers.${i}.weight`] = { dtype: "F32", shape: [4096, 4096], data_offsets: [i * block.byteLength, (i + 1) * block.byteLength] };
  }
  const text = Buffer.from(JSON.stringify(header).padEnd(65_536 - 8));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(text.length));
  const descriptor = openSync(path, "w");
  for (const bytes of [size, text, ...Array(count).fill(Buffer.from(block.buffer))]) writeSync(descriptor, bytes);
  closeSync(descriptor);
}

const bundle = (entry, outfile, platform) =>
  build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: "esm",
    platform,
    nodePaths: [join(here, "node_modules")],
    logLevel: "error",
  });

async function serve() {
  const server = createServer((request, response) => {
    response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
    response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
    const name = request.url === "/" ? "" : request.url.slice(1);
    response.setHeader("Content-Type", name === "" ? "text/html" : "text/javascript");
    response.end(name === "" ? '<!doctype html><input type="file"><script type="module" src="page.js"></script>' : scripts[name]);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

let scripts = {};
let browser;
let server;
try {
  if (!values.file) writeFile(file, Number(values.gigabytes));
  await bundle(join(here, "browser/page.js"), join(folder, "page.js"), "browser");
  await bundle(join(packageFolder, "src/pool-worker.ts"), join(folder, "pool-worker.js"), "browser");
  const nodeEntry = join(folder, "node-entry.js");
  writeFileSync(
    nodeEntry,
    `export { kernelSpeeds } from ${JSON.stringify(join(here, "browser/kernel-speeds.js"))};\nexport { loadKernels } from "@ckptkit/wasm";`,
  );
  await bundle(nodeEntry, join(folder, "node.mjs"), "node");
  const { kernelSpeeds, loadKernels } = await import(pathToFileURL(join(folder, "node.mjs")).href);
  scripts = Object.fromEntries(["page.js", "pool-worker.js"].map((name) => [name, readFileSync(join(folder, name))]));
  server = await serve();
  browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--enable-precise-memory-info"] });
  const page = await browser.newPage();
  page.on("pageerror", (error) => process.stderr.write(`${error.stack}\n`));
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await page.setInputFiles("input", file);
  const bytes = await page.evaluate(() => document.querySelector("input").files[0].size);
  const pace = (ms) => `${(bytes / ms / 1e6).toFixed(2)} GB/s`;
  const call = (name, ...args) => page.evaluate(([name, args]) => globalThis.bench[name](...args), [name, args]);
  await call("read", 4 * MIB, 2); // into the page cache

  if (values.reads) {
    print("way to read", "slices", "median", "");
    const ways = [
      ["page, 1 at a time", "read", 1],
      ["page, 2 at a time", "read", 2],
      ["1 worker, 1 at a time", "readInWorkers", 1, 1],
      ["1 worker, 2 at a time", "readInWorkers", 1, 2],
      ["1 worker, 3 at a time", "readInWorkers", 1, 3],
      ["1 worker, FileReaderSync", "readInWorkers", 1, 1, true],
      ["2 workers, 2 at a time", "readInWorkers", 2, 2],
      ["2 workers, FileReaderSync", "readInWorkers", 2, 1, true],
    ];
    const tries = ways.flatMap((way) => [1, 2, 4, 8, 16].map((mebibytes) => ({ way, mebibytes, times: [] })));
    for (let round = 0; round < ROUNDS; round++) {
      for (const { way, mebibytes, times } of tries) {
        const [, name, first, ...rest] = way;
        const args = name === "read" ? [mebibytes * MIB, first] : [first, mebibytes * MIB, ...rest];
        times.push(await call(name, ...args));
      }
    }
    for (const { way, mebibytes, times } of tries)
      print(way[0], `${mebibytes} MiB`, pace(median(times)), `best ${pace(Math.min(...times))}`);
  } else {
    const scans = [0, 1, 2];
    const times = { read: [], ...Object.fromEntries(scans.map((workers) => [workers, []])) };
    const ratios = Object.fromEntries(scans.map((workers) => [workers, []]));
    const speeds = { node: [], page: [] };
    let last;
    for (let round = 0; round < ROUNDS; round++) {
      speeds.node.push(kernelSpeeds(await loadKernels()));
      speeds.page.push(await call("kernels"));
      for (const workers of scans) {
        const read = await call("read", await page.evaluate(() => globalThis.bench.OWN_READ_BYTES), 1);
        const scan = await call("scan", workers);
        times.read.push(read);
        times[workers].push(scan.ms);
        ratios[workers].push(read / scan.ms);
        if (workers > 0) last = { ...scan, longTasks: [...(last?.longTasks ?? []), ...scan.longTasks] };
      }
    }
    print("kernels in memory", "page : Node");
    for (const what of Object.keys(speeds.node[0])) {
      const best = (where) => Math.max(...speeds[where].map((speed) => speed[what]));
      print(
        what,
        `${(best("page") / best("node")).toFixed(2)}`,
        `${(best("page") / 1e9).toFixed(2)} : ${(best("node") / 1e9).toFixed(2)} GB/s`,
      );
    }
    print(`\nfile of ${(bytes / 1e9).toFixed(1)} GB`, "pace", "to the bare loop, same round");
    print("bare loop, one slice at a time", pace(median(times.read)));
    for (const workers of scans)
      print(workers === 0 ? "scan, no pool" : `scan, pool of ${workers}`, pace(median(times[workers])), median(ratios[workers]).toFixed(2));
    print("\nlong tasks of the page, pools", last.longTasks.length === 0 ? "none" : last.longTasks.map((ms) => `${ms} ms`).join(", "));
    print("JS heap of the page", `${(last.heapBytes / MIB).toFixed(1)} MiB`);
    print("reports of progress, last scan", `${last.reports} in ${(last.ms / 1000).toFixed(1)} s`);
  }
} finally {
  await browser?.close();
  server?.close();
  rmSync(folder, { recursive: true, force: true });
}
