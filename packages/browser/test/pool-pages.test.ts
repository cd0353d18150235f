import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { type Browser, chromium } from "playwright-core";
import { build as viteBuild } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { executablePath, STRICT_POLICY } from "./site.js";

const packageFolder = fileURLToPath(new URL("..", import.meta.url));

/** A user's program: scans a fixture from three kinds of sources, with and without a pool, and tells what came of it. */
const PROGRAM = `
import { blobSource, memorySource, httpSource } from "@ckptkit/core";
import { openCheckpoint } from "@ckptkit/formats";
import { scanCheckpoint } from "@ckptkit/inspect";
import { browserPlatform, workerPool } from "@ckptkit/browser";
globalThis.run = async (poolOptions) => {
  const bytes = new Uint8Array(await (await fetch("/fixture")).arrayBuffer());
  const memory = globalThis.crossOriginIsolated ? new Uint8Array(new SharedArrayBuffer(bytes.length)) : bytes;
  memory.set(bytes);
  const kernels = await browserPlatform().kernels();
  const pool = await workerPool({ size: 2, ...poolOptions }).catch((error) => ({ code: error.code, message: error.message }));
  if (pool.code) return { code: pool.code, message: pool.message };
  const seen = {};
  for (const source of [blobSource(new Blob([bytes]), "a"), memorySource(memory, "a"), await httpSource(location.origin + "/fixture")]) {
    const checkpoint = await openCheckpoint(source);
    const alone = JSON.stringify(await scanCheckpoint(checkpoint, { kernels }));
    const kind = source.descriptor?.()?.kind ?? "no descriptor";
    seen[kind] = alone === JSON.stringify(await scanCheckpoint(checkpoint, { kernels, pool })) ? JSON.parse(alone).totals.nan : "differs";
  }
  pool.close();
  return { seen, isolated: crossOriginIsolated, kernels: kernels.name };
};`;

const PAGES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  plain: {},
  isolated: { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" },
  strict: { "content-security-policy": STRICT_POLICY },
  "no-wasm": { "content-security-policy": "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'" },
  "no-workers": { "content-security-policy": "script-src 'self' 'wasm-unsafe-eval'; worker-src 'none'" },
};

/** Serves /NAME as a page with the headers of PAGES, which loads `script`; and the files of a folder. */
async function serve(folder: string, script: string): Promise<{ url: string; server: Server }> {
  const fixture = readFileSync(fileURLToPath(new URL("../../../fixtures/files/special-numbers.pt", import.meta.url)));
  const server = createServer((request, response) => {
    const path = (request.url ?? "/").slice(1);
    const page = PAGES[path.split("?")[0] ?? ""];
    // Workers have policies of their own: a site sends the same headers with every file.
    const origin = PAGES[new URL(request.headers.referer ?? "http://none/none").pathname.slice(1)] ?? {};
    const common = { "access-control-allow-origin": "*", "cross-origin-resource-policy": "cross-origin", ...origin };
    if (page) {
      response.writeHead(200, { ...page, "content-type": "text/html" });
      response.end(`<!doctype html><link rel="icon" href="data:,"><script type="module" src="${script}"></script>`);
    } else if (path === "fixture") {
      const match = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
      const [start, end] = match ? [Number(match[1]), Math.min(Number(match[2]) + 1, fixture.length)] : [0, fixture.length];
      const range = match ? { "content-range": `bytes ${start}-${end - 1}/${fixture.length}` } : {};
      response.writeHead(match ? 206 : 200, { etag: '"1"', ...range }).end(fixture.subarray(start, end));
    } else {
      try {
        const bytes = readFileSync(join(folder, path));
        response.writeHead(200, { ...common, "content-type": "text/javascript" }).end(bytes);
      } catch {
        response.writeHead(404).end();
      }
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server }; // it listens on a port
}

interface Outcome {
  code?: string;
  message?: string;
  seen?: Record<string, unknown>;
  isolated?: boolean;
  kernels?: string;
}

describe.skipIf(!executablePath)("a pool of workers in pages of many kinds", () => {
  const folder = mkdtempSync(join(tmpdir(), "ckptkit-pool-"));
  const servers: Server[] = [];
  let browser: Browser;
  let site: string;
  let nan: number;

  const visit = async (address: string, options: object = {}): Promise<Outcome> => {
    const page = await browser.newPage();
    try {
      await page.goto(address);
      await page.waitForFunction(() => "run" in globalThis);
      return await page.evaluate((options) => (globalThis as unknown as { run(options: object): Promise<Outcome> }).run(options), options); // the program's
    } finally {
      await page.close();
    }
  };
  const start = async (...site: [string, string]): Promise<string> => {
    const { url, server } = await serve(...site);
    servers.push(server);
    return url;
  };

  beforeAll(async () => {
    writeFileSync(join(folder, "program.js"), PROGRAM);
    const entry = join(folder, "program.js");
    const packages = join(folder, "node_modules/@ckptkit");
    mkdirSync(packages, { recursive: true });
    for (const name of ["core", "formats", "inspect", "remote", "wasm"]) {
      symlinkSync(realpathSync(join(packageFolder, "node_modules/@ckptkit", name)), join(packages, name));
    }
    symlinkSync(packageFolder, join(packages, "browser"));
    await build({
      entryPoints: [entry],
      outfile: join(folder, "main.js"),
      bundle: true,
      format: "esm",
      platform: "browser",
    });
    execFileSync(process.execPath, ["pool-worker.mjs", folder], { cwd: packageFolder, stdio: "inherit" });
    site = await start(folder, "/main.js");
    browser = await chromium.launch({ executablePath: executablePath ?? "", args: ["--no-sandbox", "--disable-background-networking"] });
    nan = Number((await visit(`${site}/plain`)).seen?.blob);
  });
  afterAll(async () => {
    await browser?.close();
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
    rmSync(folder, { recursive: true, force: true });
  });

  it.each([
    ["plain", "no descriptor", "wasm"],
    ["isolated", "memory", "wasm"],
    ["strict", "no descriptor", "wasm"],
    ["no-wasm", "no descriptor", "js"],
  ])("gives the same on the page /%s, from files, memory and addresses", async (path, memory, kernels) => {
    expect(nan).toBeGreaterThan(0);
    const outcome = await visit(`${site}/${path}`);
    expect(outcome).toEqual({ seen: { blob: nan, [memory]: nan, http: nan }, isolated: path === "isolated", kernels });
  });

  it("says why there are none where the page's policy forbids workers", async () => {
    expect(await visit(`${site}/no-workers`)).toMatchObject({ code: "WORKERS_UNAVAILABLE" });
  });

  it("starts them from another server's script too, as from a CDN", async () => {
    const other = await start(folder, `${site}/main.js`);
    expect(await visit(`${other}/plain`)).toMatchObject({ seen: { blob: nan, http: nan } });
    expect(await visit(`${other}/plain`, { workerUrl: `${site}/pool-worker.js` })).toMatchObject({ seen: { blob: nan } });
  });

  it("needs no configuration of Vite", async () => {
    const root = join(folder, "vite");
    writeFileSync(join(folder, "index.html"), '<script type="module" src="./program.js"></script>');
    await viteBuild({
      root: folder,
      logLevel: "error",
      configFile: false,
      build: { outDir: root, rollupOptions: { input: join(folder, "program.js"), output: { entryFileNames: "main.js" } } },
    });
    const built = await start(root, "/main.js");
    expect(await visit(`${built}/strict`)).toMatchObject({ seen: { blob: nan, http: nan } });
  });
});
