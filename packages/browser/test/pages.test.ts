import { readFile } from "node:fs/promises";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { buildBundle, executablePath, INDEX, type Site, shardedFolder, startSite } from "./site.js";

/** What the pages have as a global: the one-file build. */
type Ckptkit = typeof import("@ckptkit/inspect") & typeof import("../src/index.js") & typeof import("@ckptkit/core");
declare const ckptkit: Ckptkit;

/** How an attempt in a page ended. */
interface Outcome {
  code: string;
  message: string;
  suggestions: string;
}

describe.skipIf(!executablePath)("pages that load one file with a plain script element", () => {
  let browser: Browser;
  let context: BrowserContext;
  let site: Site;
  let storage: Site;

  beforeAll(async () => {
    const bundle = buildBundle();
    [site, storage] = await Promise.all([startSite(bundle), startSite(bundle)]);
    browser = await chromium.launch({
      executablePath: executablePath ?? "",
      args: ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    });
    context = await browser.newContext({ acceptDownloads: true });
  });
  afterAll(async () => {
    await browser?.close();
    await Promise.all([site?.close(), storage?.close()]);
  });
  beforeEach(() => {
    storage.fileHeaders = { "access-control-allow-origin": "*", "access-control-expose-headers": "Content-Range, ETag" };
    storage.ranges = true;
    storage.requests.length = 0;
  });

  const visit = async (path: string): Promise<Page> => {
    const page = await context.newPage();
    await page.goto(site.url + path);
    await page.waitForFunction(() => "ckptkit" in globalThis);
    return page;
  };
  /** Opens and scans a fixture in a page; tells what was found. */
  const scanIn = (page: Page, address: string) =>
    page.evaluate(async (address) => {
      const checkpoint = await ckptkit.openCheckpoint(address);
      const kernels = await ckptkit.browserPlatform().kernels();
      const { totals } = await ckptkit.scanCheckpoint(checkpoint, { kernels });
      const isolated = globalThis.crossOriginIsolated;
      return { ...totals, isolated, kernels: kernels.name };
    }, address);
  /** Why an address cannot be opened in a page. */
  const failureIn = (page: Page, address: string, headers?: Record<string, string>): Promise<Outcome> =>
    page.evaluate(
      async ([address, headers]) => {
        try {
          const platform = ckptkit.browserPlatform({ retry: false, http: { headers }, remote: { download: "never" } });
          await ckptkit.openCheckpoint(address, { platform });
          return { code: "opened", message: "", suggestions: "" };
        } catch (error) {
          const { code, message, suggestions } = error as { code: string; message: string; suggestions: string[] };
          return { code, message, suggestions: suggestions.join(" ") };
        }
      },
      [address, headers] as const,
    );

  it.each([
    ["/plain", false],
    ["/isolated", true],
    ["/strict", false],
  ])("opens and scans on the page %s, with WebAssembly", async (path, isolated) => {
    const page = await visit(path);
    const found = await scanIn(page, "/files/special-numbers.pt");
    expect(found).toMatchObject({ isolated });
    expect(found.kernels).toContain("wasm");
    expect(found.tensors).toBeGreaterThan(0);
    expect(found.nan).toBeGreaterThan(0);
    await page.close();
  });

  it("gives the same answers where WebAssembly is forbidden", async () => {
    const [free, bound] = [await visit("/plain"), await visit("/no-wasm")];
    const [expected, found] = [await scanIn(free, "/files/special-numbers.pt"), await scanIn(bound, "/files/special-numbers.pt")];
    expect(found.kernels).not.toContain("wasm");
    expect({ ...found, kernels: "" }).toEqual({ ...expected, kernels: "" });
  });

  it("reads from another origin that allows it, without a pre-flight request", async () => {
    const page = await visit("/plain");
    expect((await scanIn(page, `${storage.url}/files/vit-tiny.ckpt`)).tensors).toBeGreaterThan(0);
    expect(storage.requests.filter((request) => !request.startsWith("GET bytes="))).toEqual([]);
  });

  it("tells a server that refuses the site from one that is not there", async () => {
    const page = await visit("/plain");
    storage.fileHeaders = {};
    const refused = await failureIn(page, `${storage.url}/files/vit-tiny.ckpt`);
    expect(refused.code).toBe("CORS_BLOCKED");
    expect(refused.suggestions).toContain("Access-Control-Expose-Headers: Content-Range");
    const away = await failureIn(page, "http://127.0.0.1:9/model.ckpt");
    expect(away).toMatchObject({ code: "READ_FAILED", message: "The server of http://127.0.0.1:9/model.ckpt cannot be reached." });
  });

  it("names the headers for which a server is asked first", async () => {
    const page = await visit("/plain");
    const refused = await failureIn(page, `${storage.url}/files/vit-tiny.ckpt`, { Authorization: "Bearer secret-token" });
    expect(refused.code).toBe("CORS_BLOCKED");
    expect(refused.suggestions).toContain("Access-Control-Allow-Headers: authorization");
    expect(JSON.stringify(refused)).not.toContain("secret-token");
  });

  it("does not pretend to know why an isolated page is refused", async () => {
    const page = await visit("/isolated");
    storage.fileHeaders = {};
    const refused = await failureIn(page, `${storage.url}/files/vit-tiny.ckpt`);
    expect(refused.code).toBe("READ_FAILED");
    expect(refused.suggestions).toContain("Access-Control-Allow-Origin");
  });

  it("names the page's own policy when that is what refuses", async () => {
    const page = await visit("/strict");
    const refused = await failureIn(page, `${storage.url}/files/vit-tiny.ckpt`);
    expect(refused.code).toBe("CSP_BLOCKED");
    expect(refused.message).toContain("connect-src");
  });

  it("says that the browser is offline, and still opens files", async () => {
    const page = await visit("/plain");
    await context.setOffline(true);
    try {
      expect((await failureIn(page, "/files/vit-tiny.ckpt")).code).toBe("OFFLINE");
      expect(
        await page.evaluate(async () => (await ckptkit.openCheckpoint(new File(["\x02\0\0\0\0\0\0\0{}"], "a.safetensors"))).format),
      ).toBe("safetensors");
    } finally {
      await context.setOffline(false);
    }
  });

  it("says why a page over https cannot read from http", async () => {
    const page = await context.newPage();
    await page.route("https://site.example/**", async (route) => {
      const path = new URL(route.request().url()).pathname;
      await route.fulfill({ response: await route.fetch({ url: site.url + path }) });
    });
    await page.goto("https://site.example/plain");
    await page.waitForFunction(() => "ckptkit" in globalThis);
    const refused = await failureIn(page, "http://models.example/a/model.ckpt");
    expect(refused.code).toBe("MIXED_CONTENT");
    expect(refused.suggestions).toContain("https://models.example/a/model.ckpt");
  });

  it("downloads from a server without ranges as much as is allowed, and asks about more", async () => {
    const page = await visit("/plain");
    storage.ranges = false;
    const address = `${storage.url}/files/vit-tiny.ckpt`;
    expect((await scanIn(page, address)).tensors).toBeGreaterThan(0);
    const asked = await page.evaluate(async (address) => {
      const sizes: (number | undefined)[] = [];
      const open = (allowed: boolean) => {
        const allow = ({ size }: { size: number | undefined }): boolean => {
          sizes.push(size);
          return allowed;
        };
        return ckptkit.openCheckpoint(address, { platform: ckptkit.browserPlatform({ downloads: { maxBytes: 1000, allow } }) });
      };
      const code = await open(false).catch((error: { code: string }) => error.code);
      return { code, format: (await open(true)).format, sizes };
    }, address);
    expect(asked).toMatchObject({ code: "DOWNLOAD_TOO_LARGE", format: "torch-zip" });
    expect(asked.sizes.length).toBe(2);
  });

  it("saves a file as a download, byte for byte", async () => {
    const page = await visit("/plain");
    const coming = page.waitForEvent("download");
    const size = await page.evaluate(async () => {
      const platform = ckptkit.browserPlatform();
      const sink = await platform.create("download:converted model.bin");
      for (let piece = 0; piece < 40; piece++) await sink.write(new Uint8Array(100_003).fill(piece));
      await sink.commit();
      return sink.position;
    });
    const download = await coming;
    expect(download.suggestedFilename()).toBe("converted model.bin");
    const saved = await readFile(await download.path());
    expect(saved.length).toBe(size);
    for (let piece = 0; piece < 40; piece++) expect([saved[piece * 100_003], saved[piece * 100_003 + 100_002]]).toEqual([piece, piece]);
  });

  it("finds the files of a folder that is dropped, with handles to open them again", async () => {
    const page = await visit("/plain");
    await page.evaluate(() => {
      const seen = globalThis as { dropped?: Promise<unknown> };
      document.documentElement.style.height = "100%";
      addEventListener("dragover", (event) => event.preventDefault());
      addEventListener("drop", (event) => {
        event.preventDefault();
        const data = event.dataTransfer;
        if (!data) return;
        seen.dropped = ckptkit.filesFromDrop(data).then(async ({ files, handles }) => ({
          paths: files.map(({ path, handle }) => `${path}${handle ? "" : " (no handle)"}`).sort(),
          handles: handles.map(({ kind, name }) => `${kind} ${name}`),
          format: (await ckptkit.openCheckpoint(files)).format,
        }));
      });
    });
    const client = await context.newCDPSession(page);
    const data = { items: [], files: [shardedFolder()], dragOperationsMask: 1 };
    for (const type of ["dragEnter", "dragOver", "drop"] as const)
      await client.send("Input.dispatchDragEvent", { type, x: 20, y: 20, data });
    await page.waitForFunction(() => "dropped" in globalThis);
    const found = await page.evaluate(() => (globalThis as { dropped?: Promise<unknown> }).dropped);
    expect(found).toEqual({
      paths: ["1", "2", "3"].map((shard) => `sharded/st-sharded-0000${shard}-of-00003.safetensors`).concat(`sharded/${INDEX}`),
      handles: ["directory sharded"],
      format: "safetensors-sharded",
    });
  });

  it("writes private files in a worker too, through handles that pages do not have", async () => {
    const page = await visit("/plain");
    const found = await page.evaluate(async () => {
      const code = `import { opfsSink, opfsSource } from "${location.origin}/ckptkit.js";
        const sink = await opfsSink("opfs:/from-a-worker.bin");
        for (let piece = 0; piece < 30; piece++) await sink.write(new Uint8Array(100_003).fill(piece));
        await sink.commit();
        postMessage((await opfsSource("opfs:/from-a-worker.bin")).size);`;
      const worker = new Worker(URL.createObjectURL(new Blob([code], { type: "text/javascript" })), { type: "module" });
      const size = await new Promise((resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = ({ message }) => reject(new Error(message));
      });
      worker.terminate();
      const source = await ckptkit.opfsSource("opfs:/from-a-worker.bin");
      const ends = await Promise.all([0, 29].map(async (piece) => (await source.read(piece * 100_003, piece * 100_003 + 1))[0]));
      return { size, ends };
    });
    expect(found).toEqual({ size: 3_000_090, ends: [0, 29] });
  });
});
