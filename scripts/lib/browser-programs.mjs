// Users' pages, from the packed packages: built with Vite, webpack and esbuild without any configuration, and from the one-file build without a build.
// Each opens and scans a fixture in Chromium, under a strict Content-Security-Policy, opens one whose reader is loaded when it is met, and writes it in
// every format; all have to find the same.
import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { findChromium } from "./chromium.mjs";
import { USER_FOLDER } from "./pack.mjs";
import { inRoot } from "./root.mjs";

const FIXTURES = { "/fixture": "special-numbers.pt", "/rare": "h5-earliest.h5" };
const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'";
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };
const PAGE = '<!doctype html><html lang="en"><title>User</title><script type="module" src="./main.js"></script></html>\n';
const PROGRAM = `
globalThis.outcome = (async () => {
  const platform = browserPlatform();
  const kernels = await platform.kernels();
  // Before anything else has started them: what is imported by name is there, also in one file that loads the same modules later.
  const zeros = { name: "zeros", dtype: "F32", shape: [2], byteLength: 8, tieKey: "zeros", chunks: async function* () { yield new Uint8Array(8); } };
  const early = [];
  for (const write of [writeSafetensors, writeNpz]) {
    const sink = memorySink();
    await write([zeros], () => sink, { fileName: "early", buffer: new Uint8Array(64), kernels });
    early.push(sink.bytes.length);
  }
  early.push(new CheckpointError("FORMAT_UNKNOWN", "early") instanceof Error);
  const checkpoint = await openCheckpoint("/fixture", { platform });
  const pool = await platform.pool();
  const { totals } = await scanCheckpoint(checkpoint, { kernels, pool });
  const rare = await openCheckpoint("/rare", { platform });
  const written = [];
  for (const to of ["safetensors", "npz", "gguf", "pytorch"]) {
    const sink = memorySink();
    await convertCheckpoint(rare, () => sink, { kernels, fileName: "written", to, all: true, select: ({ dtype }) => dtype === "F32" });
    const again = await openCheckpoint(new Blob([sink.bytes]), { platform });
    written.push([again.format, again.tensors.length]);
  }
  const found = { formats: [checkpoint.format, rare.format], tensors: rare.tensors.length, ...totals, kernels: kernels.name, early, written };
  return { found: JSON.stringify(found), workers: pool !== undefined };
})();
`;
const NAMES = {
  "@ckptkit/browser": ["browserPlatform", "openCheckpoint"],
  "@ckptkit/core": ["CheckpointError", "memorySink"],
  "@ckptkit/formats": ["writeNpz", "writeSafetensors"],
  "@ckptkit/inspect": ["convertCheckpoint", "scanCheckpoint"],
};
const FROM_PACKAGES = Object.entries(NAMES)
  .map(([name, names]) => `import { ${names.join(", ")} } from "${name}";\n`)
  .join("");
const FROM_ONE_FILE = `import { ${Object.values(NAMES).flat().join(", ")} } from "./ckptkit.js";\n`;

/** How each user builds: from `source` into `target`. `workers`: whether Web Workers come along without a line of configuration. */
const BUILDS = {
  vite: {
    workers: true,
    async build(source, target) {
      const { build } = await import("vite");
      await build({ root: source, configFile: false, logLevel: "error", build: { outDir: target, emptyOutDir: true } });
    },
  },
  webpack: {
    workers: true,
    async build(source, target) {
      const { default: webpack } = await import("webpack");
      const stats = await new Promise((resolve, reject) => {
        webpack({ mode: "production", context: source, entry: "./main.js", output: { path: target } }, (error, result) =>
          error ? reject(error) : resolve(result),
        );
      });
      if (stats.hasErrors()) throw new Error(stats.toString({ all: false, errors: true }));
      writeFileSync(join(target, "index.html"), PAGE);
    },
  },
  esbuild: {
    // esbuild leaves `new URL(..., import.meta.url)` as it is: the script of the workers is copied beside the bundle by who wants them.
    workers: false,
    async build(source, target) {
      const { build } = await import("esbuild");
      await build({
        entryPoints: [join(source, "main.js")],
        bundle: true,
        minify: true,
        format: "esm",
        outdir: target,
        logLevel: "silent",
      });
      writeFileSync(join(target, "index.html"), PAGE);
    },
  },
  "one file": {
    workers: true,
    async build(source, target) {
      cpSync(source, target, { recursive: true });
      writeFileSync(join(target, "main.js"), FROM_ONE_FILE + PROGRAM);
      const dist = join(USER_FOLDER, "node_modules", "@ckptkit", "browser", "dist");
      for (const file of ["ckptkit.js", "pool-worker.js"]) copyFileSync(join(dist, file), join(target, file));
    },
  },
};

/** Resolves to `{ code, output }`. The packages have to be packed, and their dependencies linked. */
export async function tryInBrowser() {
  const { path, reason } = await findChromium();
  if (!path) return { code: 0, output: `skipped: ${reason}` };
  const source = join(USER_FOLDER, "page");
  mkdirSync(source, { recursive: true });
  writeFileSync(join(source, "index.html"), PAGE);
  writeFileSync(join(source, "main.js"), FROM_PACKAGES + PROGRAM);
  const { chromium } = await import("playwright-core");
  const browser = await chromium.launch({ executablePath: path, args: ["--no-sandbox", "--disable-background-networking"] });
  const problems = [];
  const answers = new Map();
  try {
    for (const [name, { build, workers }] of Object.entries(BUILDS)) {
      const target = inRoot(".cache", "pages", name.replace(" ", "-"));
      rmSync(target, { recursive: true, force: true });
      try {
        await build(source, target);
        const outcome = await visit(browser, target);
        answers.set(name, outcome.found);
        if (workers && !outcome.workers) problems.push(`${name}: no Web Worker could be started`);
      } catch (error) {
        problems.push(`${name}: ${error.message}`);
      }
    }
  } finally {
    await browser.close();
  }
  const different = new Set(answers.values());
  if (different.size > 1) problems.push(...[...answers].map(([name, found]) => `${name} found ${found}`));
  if (![...different][0]?.includes('"nan":')) problems.push("no page found anything");
  return { code: problems.length > 0 ? 1 : 0, output: problems.join("\n") };
}

/** Opens a built page; resolves to what its program found. */
async function visit(browser, folder) {
  const server = createServer((request, response) => {
    const path = new URL(request.url, "http://localhost").pathname;
    if (path in FIXTURES) return sendRange(request, response, readFileSync(inRoot("fixtures", "files", FIXTURES[path])));
    try {
      const file = join(folder, normalize(path === "/" ? "/index.html" : path));
      const body = readFileSync(file);
      response
        .writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream", "content-security-policy": POLICY })
        .end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const page = await browser.newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(error.message));
  try {
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    await page
      .waitForFunction(() => "outcome" in globalThis, undefined, { timeout: 20_000 })
      .catch((error) => {
        throw new Error(`its program did not run: ${errors.join("; ") || error.message}`);
      });
    return await page.evaluate(() => globalThis.outcome);
  } finally {
    await page.close();
    server.closeAllConnections();
    server.close();
  }
}

function sendRange(request, response, bytes) {
  const match = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
  if (!match) return response.writeHead(200, { "content-length": bytes.length }).end(bytes);
  const start = Number(match[1]);
  const body = bytes.subarray(start, Number(match[2]) + 1);
  response.writeHead(206, { "content-range": `bytes ${start}-${start + body.length - 1}/${bytes.length}`, etag: '"1"' }).end(body);
}
