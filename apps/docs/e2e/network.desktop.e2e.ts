import { readFileSync } from "node:fs";
import { type FileServer, fileServer, servedBytes } from "@ckptkit/testkit/node";
import { expect, type Page, test } from "@playwright/test";
import { errorsOf, ISOLATED, OPEN } from "./site.js";
import { fixture, openSample } from "./steps.js";

const CORS = {
  "access-control-allow-origin": "*",
  "access-control-allow-headers": "range, if-range, if-match",
  "access-control-expose-headers": "content-range, content-length, content-encoding, etag, accept-ranges, last-modified",
};
let server: FileServer;
let hasCors = true;

test.beforeAll(async () => {
  server = await fileServer();
  const bytes = readFileSync(fixture("vit-tiny.ckpt"));
  server.files.set("/vit-tiny.ckpt", servedBytes(bytes));
  server.files.set("/whole.ckpt", servedBytes(bytes, { ranges: false }));
  server.files.set("/large.ckpt", { ...servedBytes(bytes, { ranges: false }), size: 60e9 });
  server.intercept = (request, response) => {
    if (!hasCors) return false;
    for (const [name, value] of Object.entries(CORS)) response.setHeader(name, value);
    if (request.method !== "OPTIONS") return false;
    response.writeHead(204).end();
    return true;
  };
});
test.afterAll(() => server.close());

async function openAddress(page: Page, address: string, site = ISOLATED): Promise<void> {
  await page.goto(`${site}playground.html`);
  await expect(page.locator(".pg[data-ready=true]")).toBeVisible();
  await page.getByLabel("Or open an address").fill(address);
  await page.getByRole("button", { name: "Open", exact: true }).click();
}

test("an address is opened by ranges, and the page's address brings back file, view and filter", async ({ page, context }) => {
  hasCors = true;
  const errors = errorsOf(page);
  await openAddress(page, `${server.url}/vit-tiny.ckpt`);
  await expect(page.getByTestId("session-name")).toContainText("vit-tiny.ckpt");
  await expect(page.getByTestId("open-facts")).toContainText(/by reading \d+(?:\.\d+)? KiB/);
  await page.getByRole("tab", { name: "Tensors" }).click();
  await page.getByTestId("tensor-filter").fill("attn.qkv.weight");
  await page.getByRole("button", { name: "Table" }).click();
  await expect(page).toHaveURL(/view=tensors&mode=flat&filter=attn\.qkv\.weight/);
  const other = await context.newPage();
  await other.goto(page.url());
  await expect(other.getByTestId("tensor-filter")).toHaveValue("attn.qkv.weight");
  await expect(other.getByTestId("tensor-rows").locator(".line", { hasText: "blocks.0.attn.qkv" }).first()).toBeVisible();
  expect(errors).toEqual([]);
});

test("a link leads to one tensor of a sample", async ({ page }) => {
  await openSample(page, "vit-tiny", "&view=tensor&tensor=state_dict.model.head.bias");
  await expect(page.getByTestId("tensor")).toContainText("[10]");
});

test("from a server that knows no ranges a small file is fetched whole, and of a large one it is told what to do", async ({ page }) => {
  hasCors = true;
  await openAddress(page, `${server.url}/whole.ckpt`);
  await expect(page.getByTestId("session-name")).toContainText("whole.ckpt");
  await openAddress(page, `${server.url}/large.ckpt`);
  const alert = page.getByRole("alert");
  await expect(alert.getByRole("listitem").first()).toBeVisible();
  await expect(alert).toContainText("range");
});

test("a server that lets no other site read is told, with what its owner sets, and trying again works once it does", async ({ page }) => {
  hasCors = false;
  const alert = page.getByRole("alert");
  // An isolated page is not told whether there is a server at all, so it names both.
  await openAddress(page, `${server.url}/vit-tiny.ckpt`);
  await expect(alert).toContainText("cannot be reached, or does not allow this page to read from it");
  await expect(alert).toContainText("Access-Control-Allow-Origin");
  await openAddress(page, `${server.url}/vit-tiny.ckpt`, OPEN);
  await expect(alert).toContainText("The server does not let pages of other sites read this file");
  await expect(alert).toContainText(`Access-Control-Allow-Origin: ${OPEN.slice(0, -1)}`);
  hasCors = true;
  await alert.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByTestId("session-name")).toContainText("vit-tiny.ckpt");
});

test("an address at which there is nothing, and one of nobody, say so", async ({ page }) => {
  hasCors = true;
  await openAddress(page, `${server.url}/nothing.ckpt`);
  await expect(page.getByRole("alert")).toContainText("There is nothing at this address");
  await openAddress(page, "http://127.0.0.1:9/model.ckpt");
  await expect(page.getByRole("alert")).toContainText("cannot be reached");
});

test("after the first visit samples open and are scanned without a network", async ({ page, context }) => {
  await page.goto("playground.html");
  await page.evaluate(async () => {
    const { active, installing, waiting } = await navigator.serviceWorker.ready;
    const worker = active ?? installing ?? waiting;
    if (worker?.state !== "activated") await new Promise((resolve) => worker?.addEventListener("statechange", resolve));
  });
  await context.setOffline(true);
  for (const sample of ["diverged", "sharded", "ties"]) {
    await openSample(page, sample, "&view=scan");
    await page.getByRole("button", { name: "Scan every number" }).click();
    await expect(page.getByRole("button", { name: "Scan again" })).toBeVisible();
  }
  await expect(page.getByText(/^Every number is finite/)).toBeVisible();
});
