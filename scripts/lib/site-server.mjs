// Serves the built site as a host does that reads its `_headers` file: for `npm run playground` and for the tests in a browser.
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { inRoot } from "./root.mjs";

/** Where the build puts the site. */
export const SITE = inRoot("apps", "docs", "dist");
/** Headers that isolate a page, so that its threads may share memory. */
const ISOLATION = ["cross-origin-opener-policy", "cross-origin-embedder-policy"];
const PORTS_TRIED = 50;

/**
 * Serves a folder on 127.0.0.1. `port` is the first one tried, and the next free one is taken; 0 takes any. Without `isolated`, the headers that isolate a
 * page are left out, as on a host that sends none. Resolves to `{ url, port, close }`.
 */
export async function serveSite({ port = 4173, isolated = true, root = SITE } = {}) {
  if (!existsSync(join(root, "index.html"))) throw new Error(`${root} holds no site: build it first (npm run build).`);
  const sirv = createRequire(inRoot("apps", "docs", "package.json"))("sirv");
  const rules = readHeaders(join(root, "_headers")).map(({ matches, headers }) => ({
    matches,
    headers: headers.filter(([name]) => isolated || !ISOLATION.includes(name.toLowerCase())),
  }));
  const setHeaders = (response, path) => {
    for (const { matches, headers } of rules) if (matches(path)) for (const [name, value] of headers) response.setHeader(name, value);
  };
  const missing = existsSync(join(root, "404.html")) ? readFileSync(join(root, "404.html")) : "";
  // Without `dev` sirv would remember the files of its start and not see a new build.
  const files = sirv(root, { dev: true, etag: true, extensions: ["html"], setHeaders });
  const server = createServer((request, response) => {
    files(request, response, () => {
      setHeaders(response, request.url ?? "/");
      response.writeHead(404, { "content-type": "text/html; charset=utf-8" }).end(missing);
    });
  });
  const taken = await listen(server, port);
  return {
    url: `http://127.0.0.1:${taken}/`,
    port: taken,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Resolves to the port that the server listens on. */
async function listen(server, first) {
  for (let port = first; ; port++) {
    const error = await new Promise((resolve) => {
      server.once("error", resolve).listen(port, "127.0.0.1", () => {
        server.off("error", resolve);
        resolve(undefined);
      });
    });
    if (!error) return server.address().port;
    if (error.code !== "EADDRINUSE" || port >= first + PORTS_TRIED) throw error;
  }
}

/** The rules of a `_headers` file: a line with a path, in which `*` stands for anything, and below it, indented, a header a line. */
export function readHeaders(file) {
  if (!existsSync(file)) return [];
  const rules = [];
  for (const line of readFileSync(file, "utf8").split("\n")) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    if (!/^\s/.test(line)) rules.push({ matches: pathTest(line.trim()), headers: [] });
    else rules.at(-1)?.headers.push([line.slice(0, line.indexOf(":")).trim(), line.slice(line.indexOf(":") + 1).trim()]);
  }
  return rules;
}

function pathTest(pattern) {
  const parts = pattern.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const expression = new RegExp(`^${parts.join(".*")}$`);
  return (path) => expression.test(path.split("?")[0]);
}
