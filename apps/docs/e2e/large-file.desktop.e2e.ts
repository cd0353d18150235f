import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type BigFile, bigTorchZip } from "@ckptkit/testkit/node";
import { expect, type Page, test } from "@playwright/test";
import { errorsOf } from "./site.js";
import { openFile, savedBy, toView } from "./steps.js";

const CKPT = fileURLToPath(new URL("../../../packages/cli/bin/ckpt.js", import.meta.url));
let big: BigFile;
test.beforeAll(async () => {
  big = await bigTorchZip({ bytes: 60e9, tensors: 600, lightning: true });
});
test.afterAll(() => big.remove());

/** Bytes of the page's JavaScript objects, after what is not needed was collected. */
async function heapOf(page: Page): Promise<number> {
  const client = await page.context().newCDPSession(page);
  await client.send("HeapProfiler.collectGarbage");
  return (await client.send("Runtime.getHeapUsage")).usedSize;
}

test("60 GB from the picker: the table is the command line's, any tensor is read at once, the heap stays small", async ({ page }, {
  outputDir,
}) => {
  const errors = errorsOf(page);
  await page.goto("playground.html");
  await openFile(page, big.path, "big.ckpt");
  await expect(page.getByTestId("overview")).toContainText("Lightning");
  await page.getByRole("button", { name: "Export" }).click();
  const saved = await savedBy(page, () => page.getByRole("button", { name: "Description" }).click(), outputDir);
  const told = JSON.parse(readFileSync(saved, "utf8"));
  const printed = JSON.parse(execFileSync(process.execPath, [CKPT, "inspect", "--json", big.path], { encoding: "utf8", maxBuffer: 1e8 }));
  expect(told.tensors).toHaveLength(600);
  expect(told.tensors).toEqual(printed.tensors);
  expect({ format: told.format, layout: told.layout }).toEqual({ format: printed.format, layout: printed.layout });

  await page.goto("playground.html");
  await openFile(page, big.path, "big.ckpt");
  await toView(page, "Tensors");
  await page.getByRole("button", { name: "Table" }).click();
  await page.getByTestId("tensor-filter").fill("layers.599.");
  const rows = page.getByTestId("tensor-rows").locator(".line");
  await expect(rows).toHaveCount(1);
  await rows.dblclick();
  const tensor = page.getByTestId("tensor");
  await expect(tensor).toContainText("layers.599.");
  // Its first number is its place + 0.5, all others are 0: read 60 GB behind the beginning of the file.
  await expect(tensor.locator(".values li").first()).toHaveText("599.5");
  await expect(tensor.getByText(/From a sample of/)).toBeVisible();
  expect(await heapOf(page)).toBeLessThan(150e6);
  expect(errors).toEqual([]);
});

test("60 GB by drop: the scan runs while one looks elsewhere, and the heap stays small", async ({ page }) => {
  await page.goto("playground.html");
  await expect(page.locator(".pg[data-ready=true]")).toBeVisible();
  const client = await page.context().newCDPSession(page);
  const data = { items: [], files: [big.path], dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"] as const)
    await client.send("Input.dispatchDragEvent", { type, x: 300, y: 400, data });
  await expect(page.getByTestId("session-name")).toHaveText("big.ckpt");
  await toView(page, "Scan");
  await page.getByRole("button", { name: "Scan every number" }).click();
  const line = page.getByRole("grid").locator(".line").first();
  await expect(line).toContainText("layers.");
  await toView(page, "Overview");
  await expect(page.getByTestId("overview")).toBeVisible();
  await toView(page, "Scan");
  await expect(page.getByRole("progressbar", { name: "Scan" })).toBeVisible();
  await expect(page.getByRole("grid").locator(".line").nth(3)).toBeVisible();
  expect(await heapOf(page)).toBeLessThan(150e6);
  await page.getByRole("button", { name: "Stop" }).click();
  await expect(page.getByText(/stopped after \d+/)).toBeVisible();
});
