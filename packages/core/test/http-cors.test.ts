import { existsSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { patternBytes } from "@ckptkit/testkit";
import { build } from "esbuild";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

/** Chromium, found as for the tests that run in it; an empty value rules it out. */
const executablePath =
  process.env.CKPTKIT_CHROMIUM ??
  ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) => existsSync(path));
const file = patternBytes(200_000);

/** A page that has core as a global, where functions that the test sends find it. */
const PAGE = '<!doctype html><script type="module">globalThis.core = await import("/core.js")</script>';

/** What a page finds when it reads from another origin. */
interface Outcome {
  size?: number;
  bytes?: number[];
  code?: string;
  suggestions?: string;
}

describe.skipIf(!executablePath)("httpSource in a page that reads from another origin", () => {
  let browser: Browser;
  let page: Page;
  let site: Server;
  let storage: Server;
  let corsHeaders: Record<string, string> = {};
  let methods: string[] = [];

  beforeAll(async () => {
    const bundle = await build({
      entryPoints: [fileURLToPath(new URL("../src/index.ts", import.meta.url))],
      bundle: true,
      format: "esm",
      write: false,
    });
    const script = bundle.outputFiles[0]?.text ?? "";
    site = createServer((request, response) => {
      if (request.url === "/core.js") response.writeHead(200, { "content-type": "text/javascript" }).end(script);
      else response.writeHead(200, { "content-type": "text/html" }).end(PAGE);
    });
    storage = createServer((request, response) => {
      methods.push(request.method ?? "");
      const [start = 0, last = 0] =
        /(\d+)-(\d+)/
          .exec(request.headers.range ?? "")
          ?.slice(1)
          .map(Number) ?? [];
      const body = file.subarray(start, last + 1);
      // Like many object stores: simple requests are allowed, pre-flight requests are not answered as they would have to be.
      if (request.method === "OPTIONS") return response.writeHead(403).end();
      const range = `bytes ${start}-${start + body.length - 1}/${file.length}`;
      response.writeHead(206, { "content-range": range, "content-length": body.length, etag: '"v1"', ...corsHeaders }).end(body);
    });
    await Promise.all([site, storage].map((server) => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))));
    browser = await chromium.launch({
      executablePath: executablePath ?? "",
      args: ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    });
    page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}/`);
    await page.waitForFunction(() => "core" in globalThis);
  });
  afterAll(async () => {
    await browser?.close();
    for (const server of [site, storage]) {
      server?.closeAllConnections();
      server?.close();
    }
  });
  beforeEach(() => {
    methods = [];
  });

  /** Opens the file in the page and reads beyond what the opening brought. */
  const readInPage = (): Promise<Outcome> =>
    page.evaluate(
      async (url) => {
        const { httpSource } = (globalThis as unknown as { core: typeof import("../src/index.js") }).core;
        try {
          const source = await httpSource(url);
          return { size: source.size, bytes: [...(await source.read(150_000, 150_008))] };
        } catch (error) {
          const { code, suggestions } = error as { code: string; suggestions: string[] };
          return { code, suggestions: suggestions.join(" ") };
        }
      },
      `http://127.0.0.1:${(storage.address() as AddressInfo).port}/model.bin`,
    );

  it("reads without a pre-flight request where the server shows Content-Range and ETag", async () => {
    corsHeaders = { "access-control-allow-origin": "*", "access-control-expose-headers": "Content-Range, ETag" };
    expect(await readInPage()).toEqual({ size: 200_000, bytes: [...file.subarray(150_000, 150_008)] });
    expect(methods).toEqual(["GET", "GET"]);
  });

  it("says which headers the server has to show when it hides Content-Range", async () => {
    corsHeaders = { "access-control-allow-origin": "*" };
    const { code, suggestions } = await readInPage();
    expect(code).toBe("HTTP_BAD_RANGE");
    expect(suggestions).toContain("Access-Control-Expose-Headers: Content-Range");
  });

  it("says that the server may not allow the page to read when the browser reports only a failure", async () => {
    corsHeaders = {};
    const { code, suggestions } = await readInPage();
    expect(code).toBe("READ_FAILED");
    expect(suggestions).toContain("Access-Control-Allow-Origin");
  });
});
