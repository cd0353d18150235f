import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Chromium, found as for the tests that run in it; undefined where there is none. */
export const executablePath =
  (process.env.CKPTKIT_CHROMIUM ??
    ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) => existsSync(path))) ||
  undefined;

const fixture = (name: string): Buffer => readFileSync(fileURLToPath(new URL(`../../../fixtures/files/${name}`, import.meta.url)));

/** The index of a fixture with three shards. */
export const INDEX = "st-sharded.safetensors.index.json";

/** A folder on disk that holds the sharded fixture and nothing else. */
export function shardedFolder(): string {
  const folder = join(mkdtempSync(join(tmpdir(), "ckptkit-drop-")), "sharded");
  mkdirSync(folder);
  for (const name of [INDEX, ...[1, 2, 3].map((shard) => `st-sharded-0000${shard}-of-00003.safetensors`)]) {
    writeFileSync(join(folder, name), fixture(name));
  }
  return folder;
}

/** The strictest policy under which everything works. */
export const STRICT_POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'";

/** Headers of the pages of a site, by path. */
const PAGES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "/plain": {},
  "/isolated": { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" },
  "/strict": { "content-security-policy": STRICT_POLICY },
  "/no-wasm": { "content-security-policy": "default-src 'none'; script-src 'self'; connect-src 'self'" },
};

/** A site with pages that load the one-file build, and with fixtures; or, as another origin, storage that may refuse pages. */
export interface Site {
  readonly url: string;
  /** Headers of every answer with a file. */
  fileHeaders: Record<string, string>;
  /** Whether ranges are answered. */
  ranges: boolean;
  readonly requests: string[];
  close(): Promise<void>;
}

/** Builds the one-file build; returns its text. */
export function buildBundle(): string {
  const folder = mkdtempSync(join(tmpdir(), "ckptkit-bundle-"));
  execFileSync(process.execPath, ["bundle.mjs", folder], { cwd: fileURLToPath(new URL("..", import.meta.url)), stdio: "inherit" });
  return readFileSync(join(folder, "ckptkit.js"), "utf8");
}

/** Starts a server on this machine. */
export async function startSite(bundle: string): Promise<Site> {
  const site: Site & { server: Server } = {
    url: "",
    fileHeaders: {},
    ranges: true,
    requests: [],
    close: () =>
      new Promise((resolve) => {
        site.server.close(() => resolve());
        site.server.closeAllConnections();
      }),
    server: createServer((request, response) => {
      const path = (request.url ?? "/").split("?")[0] ?? "/";
      const page = PAGES[path];
      const script = { "content-type": "text/javascript", "cross-origin-resource-policy": "cross-origin" };
      if (page) {
        const html = '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/main.js"></script>';
        return response.writeHead(200, { "content-type": "text/html", ...page }).end(html);
      }
      if (path === "/main.js")
        return response.writeHead(200, script).end('import * as ckptkit from "/ckptkit.js"; globalThis.ckptkit = ckptkit;');
      if (path === "/ckptkit.js") return response.writeHead(200, script).end(bundle);
      site.requests.push(`${request.method} ${request.headers.range ?? "all"}`);
      if (!path.startsWith("/files/")) return response.writeHead(404, site.fileHeaders).end();
      if (request.method === "OPTIONS") return response.writeHead(403).end();
      const bytes = fixture(decodeURIComponent(path.slice("/files/".length)));
      const headers = { etag: '"v1"', ...site.fileHeaders };
      const match = site.ranges ? /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") : null;
      if (!match) return response.writeHead(200, { "content-length": bytes.length, ...headers }).end(bytes);
      const start = Number(match[1]);
      const body = bytes.subarray(start, Number(match[2]) + 1);
      response.writeHead(206, { "content-range": `bytes ${start}-${start + body.length - 1}/${bytes.length}`, ...headers }).end(body);
    }),
  };
  await new Promise<void>((resolve) => site.server.listen(0, "127.0.0.1", resolve));
  return Object.assign(site, { url: `http://127.0.0.1:${(site.server.address() as AddressInfo).port}` });
}
