// The playground with a sparse 60 GB Lightning checkpoint in Chromium: time from the drop to its tensors on the screen, long tasks of the page's thread
// while it scans, memory, and the weight of the first view. The site has to be built.
//   node bench/playground.mjs [--gigabytes=60] [--tensors=2000] [--seconds=10] [--rounds=5]
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { serveSite } from "../scripts/lib/site-server.mjs";

const number = (value) => ({ type: "string", default: String(value) });
const { values } = parseArgs({
  options: { gigabytes: number(60), tensors: number(2000), seconds: number(10), rounds: number(5), site: { type: "string" } },
});
const here = fileURLToPath(new URL(".", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "ckptkit-bench-"));
const print = (name, value, wanted = "") => process.stdout.write(`${name.padEnd(44)}${value.padEnd(34)}${wanted}`.trimEnd().concat("\n"));
const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** Makes the checkpoint as the tests do. */
async function bigCheckpoint() {
  const outfile = join(folder, "big.mjs");
  await build({
    entryPoints: [join(here, "../packages/testkit/src/node/big-torch.ts")],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    logLevel: "error",
  });
  const { bigTorchZip } = await import(pathToFileURL(outfile).href);
  return bigTorchZip({ bytes: Number(values.gigabytes) * 1e9, tensors: Number(values.tensors), lightning: true });
}

/** Runs in the page before all else: notes long tasks, when the file was dropped, and when the first tensors stood there. */
function watch() {
  const seen = { dropped: 0, shown: 0, tasks: [] };
  Object.assign(window, { seen });
  new PerformanceObserver((list) =>
    seen.tasks.push(...list.getEntries().map(({ startTime, duration }) => ({ startTime, duration }))),
  ).observe({
    type: "longtask",
  });
  window.addEventListener("drop", () => Object.assign(seen, { dropped: performance.now() }), true);
  const look = () => {
    if (document.querySelector("[data-testid=tensor-rows] .line .name")) seen.shown = performance.now();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

async function drop(client, path) {
  const data = { items: [], files: [path], dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"]) await client.send("Input.dispatchDragEvent", { type, x: 300, y: 400, data });
}

/** Bytes of JavaScript objects of the page's thread, and what the whole page with its workers takes. */
async function memoryOf(page, client) {
  await client.send("HeapProfiler.collectGarbage");
  const { usedSize } = await client.send("Runtime.getHeapUsage");
  // Of the page and its workers; the browser measures when it collects garbage, and until then there is no answer.
  const whole = await page.evaluate(() =>
    Promise.race([performance.measureUserAgentSpecificMemory?.(), new Promise((resolve) => setTimeout(resolve, 30_000))]),
  );
  return { page: usedSize, whole: whole?.bytes };
}

const megabytes = (bytes) => (bytes === undefined ? "not told" : `${(bytes / 1e6).toFixed(1)} MB`);
/** How many, and the longest, with when it began. */
function longest(tasks, from) {
  const [first] = [...tasks].sort((a, b) => b.duration - a.duration);
  return first ? `${tasks.length}: ${first.duration.toFixed(0)} ms, after ${(first.startTime - from).toFixed(0)} ms` : "none";
}

const big = await bigCheckpoint();
const site = await serveSite({ port: 0, ...(values.site ? { root: values.site } : {}) });
const browser = await chromium.launch({
  executablePath: process.env.CKPTKIT_CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--enable-precise-memory-info"],
});
try {
  const context = await browser.newContext({ serviceWorkers: "block", viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  await page.addInitScript(watch);
  const client = await context.newCDPSession(page);
  const bodies = [];
  page.on("response", (response) => bodies.push(response.body().catch(() => Buffer.alloc(0))));
  const address = `${site.url}playground.html?view=tensors`;
  await page.goto(address, { waitUntil: "networkidle" });
  const weight = (await Promise.all(bodies)).reduce((sum, body) => sum + gzipSync(body).length, 0);
  page.removeAllListeners("response");

  const shown = [];
  const opening = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    if (round > 0) await page.goto(address, { waitUntil: "networkidle" });
    // The engine starts when the pointer comes near, as it does on the way to a drop.
    await page.locator(".drop").hover();
    await page.waitForTimeout(1000);
    await drop(client, big.path);
    await page.waitForFunction(() => window.seen.shown > 0);
    await page.waitForTimeout(500);
    const seen = await page.evaluate(() => window.seen);
    shown.push(seen.shown - seen.dropped);
    for (const { startTime, duration } of seen.tasks) {
      if (startTime > seen.dropped) opening.push({ startTime: startTime - seen.dropped, duration });
    }
  }
  const opened = await memoryOf(page, client);

  await page.getByRole("tab", { name: "Scan" }).click();
  await page.waitForTimeout(1000);
  const from = await page.evaluate(() => performance.now());
  await page.getByRole("button", { name: "Scan every number" }).click();
  await page.waitForTimeout(1000 * Number(values.seconds));
  const scanning = await page.evaluate(
    ([start, end]) => window.seen.tasks.filter(({ startTime }) => startTime > start && startTime < end),
    [from, from + 1000 * Number(values.seconds)],
  );
  const progress = ((await page.locator(".now").textContent()) ?? "").replace(/\s+/g, " ");
  const scanned = await memoryOf(page, client);

  print(`${values.gigabytes} GB, ${values.tensors} tensors, Lightning`, `Chromium ${browser.version()}`);
  print("First view, compressed", `${(weight / 1000).toFixed(0)} KB`, "under 200 KB");
  print(
    "Tensors on the screen after the drop",
    `${median(shown).toFixed(0)} ms (${Math.min(...shown).toFixed(0)}-${Math.max(...shown).toFixed(0)})`,
    "under 1000 ms",
  );
  print("Tasks over 50 ms, of the page, opening", longest(opening, 0));
  print("Tasks over 50 ms, of the page, scanning", longest(scanning, from), "none");
  print(`Scanned in ${values.seconds} s`, progress);
  print("JavaScript heap of the page, opened", megabytes(opened.page), "under 150 MB");
  print("JavaScript heap of the page, scanning", megabytes(scanned.page), "under 150 MB");
  print("Page and workers, opened", megabytes(opened.whole));
  print("Page and workers, scanning", megabytes(scanned.whole));
} finally {
  await browser.close();
  await site.close();
  await big.remove();
  rmSync(folder, { recursive: true, force: true });
}
