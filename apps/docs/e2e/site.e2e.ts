import { gzipSync } from "node:zlib";
import { expect, test } from "@playwright/test";
import { SAMPLES } from "../playground/state/samples.js";
import { errorsOf, ISOLATED, OPEN, seriousFindings } from "./site.js";

/** Bytes, compressed, that the playground may need before a file is opened. */
const FIRST_VIEW_BYTES = 200_000;
const PAGES = [
  "",
  "quick-start.html",
  "scan.html",
  "configuration.html",
  "troubleshooting.html",
  "performance.html",
  "reference/cli.html",
  "reference/api/node.html",
];

test("every kind of page shows its title without an error, no wider than the screen", async ({ page }) => {
  const errors = errorsOf(page);
  for (const path of PAGES) {
    await page.goto(path);
    await expect(page.locator("h1").first()).toBeVisible();
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(overflow, `pixels that ${path} is wider than the screen`).toBe(0);
  }
  expect(errors).toEqual([]);
});

test("search finds an error code by its name, without a request to another host", async ({ page }) => {
  const hosts = new Set<string>();
  page.on("request", (request) => hosts.add(new URL(request.url()).host));
  await page.goto("");
  await page.locator("#local-search button").first().click();
  await page.locator("#localsearch-input").fill("HTTP_RANGE_NOT_SUPPORTED");
  const found = page.locator("#localsearch-list a").first();
  await expect(found).toHaveAttribute("href", /troubleshooting/);
  await found.click();
  await expect(page).toHaveURL(/troubleshooting\.html#http_range_not_supported/);
  expect([...hosts]).toEqual([new URL(ISOLATED).host]);
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`axe has no serious finding on the home page, a guide and a reference, in ${colorScheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    for (const path of ["", "quick-start.html", "performance.html", "troubleshooting.html", "reference/cli.html"]) {
      await page.goto(path);
      await expect(page.locator("h1").first()).toBeVisible();
      expect(await seriousFindings(page), path).toEqual([]);
    }
  });
}

test("the host's headers isolate every page, and forbid scripts that are not the site's", async ({ page, request }) => {
  for (const path of ["", "playground.html", "no-such-page.html"]) {
    const headers = (await request.get(path)).headers();
    expect(headers["cross-origin-opener-policy"]).toBe("same-origin");
    expect(headers["cross-origin-embedder-policy"]).toBe("require-corp");
    expect(headers["x-content-type-options"]).toBe("nosniff");
    expect(headers["content-security-policy"]).toContain("script-src 'self' 'wasm-unsafe-eval' 'sha256-");
    expect(headers["content-security-policy"]).not.toContain("'unsafe-eval'");
  }
  await page.goto("");
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  const ran = await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "window.ran = true";
    document.head.append(script);
    return "ran" in window;
  });
  expect(ran).toBe(false);
});

test("a host that sends none of the isolating headers serves the same pages", async ({ page }) => {
  const errors = errorsOf(page);
  await page.goto(OPEN);
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(false);
  await expect(page.locator("h1")).toBeVisible();
  await page.goto(`${OPEN}playground.html`);
  await expect(page.locator("h1")).toBeAttached();
  expect(errors).toEqual([]);
});

test("the first view of the playground takes less than 200 KB over the network", async ({ browser }) => {
  // Without the service worker: it fetches the site for later use when the page has long been there, and not for this view.
  const context = await browser.newContext({ baseURL: ISOLATED, serviceWorkers: "block" });
  const page = await context.newPage();
  const sizes = new Map<string, Promise<number>>();
  page.on("response", (response) => {
    sizes.set(
      response.url(),
      response
        .body()
        .then((body) => gzipSync(body).length)
        .catch(() => 0),
    );
  });
  await page.goto("playground.html", { waitUntil: "networkidle" });
  await expect(page.locator("h1")).toBeAttached();
  const entries = await Promise.all([...sizes].map(async ([url, size]) => ({ url, bytes: await size })));
  await context.close();
  const total = entries.reduce((sum, { bytes }) => sum + bytes, 0);
  const table = entries.sort((a, b) => b.bytes - a.bytes).map(({ url, bytes }) => `${bytes} ${new URL(url).pathname}`);
  test.info().annotations.push({ type: "bytes", description: String(total) });
  expect(entries.length).toBeGreaterThan(3);
  expect(total, table.join("\n")).toBeLessThan(FIRST_VIEW_BYTES);
});

test("after the first visit the site works without a network: pages, playground, search", async ({ page, context }) => {
  await page.goto("");
  await page.evaluate(async () => {
    const { active, installing, waiting } = await navigator.serviceWorker.ready;
    const worker = active ?? installing ?? waiting;
    if (worker?.state !== "activated") await new Promise((resolve) => worker?.addEventListener("statechange", resolve));
  });
  await page.reload(); // from here on the worker answers
  await context.setOffline(true);
  for (const path of ["quick-start.html", "reference/cli.html", "playground.html", "playground.html?tab=tensors", "playground"]) {
    await page.goto(path);
    await expect(page.locator("h1").first()).toBeAttached();
  }
  await page.goto("");
  await page.locator("#local-search button").first().click();
  await page.locator("#localsearch-input").fill("convert");
  await expect(page.locator("#localsearch-list a").first()).toBeVisible();
});

test("no checkpoint but the playground's samples is ever kept by the service worker", async ({ page }) => {
  await page.goto("");
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  const kept = await page.evaluate(async () => {
    const names = await caches.keys();
    const requests = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
    return requests.flat().map(({ url }) => new URL(url).pathname);
  });
  expect(kept.length).toBeGreaterThan(20);
  const checkpoints = kept.filter((path) => /\.(?:ckpt|pt|pth|bin|safetensors|npz|gguf)$/.test(path));
  expect(checkpoints.some((path) => path.startsWith("/assets/vit-tiny"))).toBe(true);
  const samples = SAMPLES.flatMap(({ files }) => files.map((name) => name.replace(/\.[a-z]+$/, "")));
  expect(checkpoints.filter((path) => !samples.some((name) => path.startsWith(`/assets/${name}-`)))).toEqual([]);
});
