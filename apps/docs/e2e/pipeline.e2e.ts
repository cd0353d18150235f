import { readFileSync } from "node:fs";
import { expect, type Page, test } from "@playwright/test";
import { errorsOf, seriousFindings } from "./site.js";

const VIEW = "playground.html?sample=vit-tiny&view=pipeline";

/** Opens the view, and waits until the template has been planned. */
async function openView(page: Page): Promise<void> {
  await page.goto(VIEW);
  await expect(page.getByTestId("pipeline-plan")).toContainText("The run can go on", { timeout: 20_000 });
}

const line = (page: Page, text: string) => page.getByTestId("pipeline-editor").locator(".cm-line", { hasText: text }).first();

/** Puts the cursor at the end of a line, as a person does with a click and the End key. */
async function toEndOf(page: Page, text: string): Promise<void> {
  await line(page, text).click();
  await page.keyboard.press("End");
}

/** The tensors of a safetensors file: names and dtypes, read from its header. */
function headerOf(path: string): Record<string, { dtype: string }> {
  const bytes = readFileSync(path);
  const { __metadata__: _, ...tensors } = JSON.parse(bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE(0))).toString("utf8"));
  return tensors;
}

test("a person makes a slip, sees it at its line, mends it by completion, runs, saves, and opens what was saved", async ({ page }) => {
  const errors = errorsOf(page);
  await page.goto("playground.html?sample=vit-tiny");
  await page.getByRole("tab", { name: "Pipeline" }).click();
  await page.getByTestId("pipeline-template").selectOption("lightning-to-safetensors");
  await expect(page.getByLabel("CHECKPOINT", { exact: true })).toHaveValue("vit-tiny.ckpt");

  await toEndOf(page, "check: finite");
  await page.keyboard.type("_");
  await page.keyboard.press("Escape");
  const problem = page.getByTestId("pipeline-problems").getByRole("button");
  await expect(problem).toContainText(
    'lightning-to-safetensors.yaml:10:12  stages[1].check: There is no check "finite_". Did you mean "finite"?',
  );
  await expect(page.getByTestId("pipeline-editor").locator(".cm-lintRange-error")).toHaveText("finite_");
  await expect(page.getByTestId("pipeline-run")).toBeDisabled();

  // From the list back to the place, and the right name from the completions.
  await problem.click();
  await page.keyboard.press("Control+Space");
  const options = page.locator(".cm-tooltip-autocomplete");
  await expect(options.getByRole("option")).toHaveCount(5);
  await options.getByRole("option", { name: /^finite/ }).click();
  await expect(line(page, "check: finite")).toHaveText("  - check: finite");
  await expect(problem).toHaveCount(0);

  await expect(page.getByTestId("pipeline-plan")).toContainText("The run can go on");
  await page.getByTestId("pipeline-run").click();
  const result = page.getByTestId("pipeline-result");
  await expect(result).toContainText("Done: 3 of 3 stages");
  await expect(page.getByTestId("pipeline-steps").getByRole("listitem").nth(1)).toContainText("44 tensors");

  const saving = page.waitForEvent("download");
  await result.getByRole("button", { name: "Save" }).click();
  const download = await saving;
  expect(download.suggestedFilename()).toBe("model.safetensors");
  const saved = await download.path();
  const tensors = headerOf(saved);
  expect(Object.keys(tensors)).toHaveLength(44);
  expect(new Set(Object.values(tensors).map(({ dtype }) => dtype))).toEqual(new Set(["BF16"]));

  await result.getByRole("button", { name: "Open" }).click();
  await expect(page.getByTestId("session-name")).toHaveText("model.safetensors");
  await expect(page.locator("body")).toContainText("44 tensors");
  expect(errors).toEqual([]);
});

test("a link leads to the same pipeline", async ({ page, context }) => {
  await openView(page);
  await page.getByTestId("pipeline-template").selectOption("quantize");
  await page.getByLabel("OUTPUT").fill("small.safetensors");
  await expect(page).toHaveURL(/#pipeline=/);
  await expect(page.getByTestId("pipeline-steps")).toContainText("small.safetensors");
  await page.waitForTimeout(700); // the address follows when typing pauses
  const other = await context.newPage();
  await other.goto(page.url());
  await expect(other.getByLabel("OUTPUT")).toHaveValue("small.safetensors", { timeout: 20_000 });
  await expect(line(other, "modifier: quantize")).toBeVisible();
});

test("a stage that fails says why and what to try, and what it needs is said before", async ({ page }) => {
  await openView(page);
  await page.getByTestId("pipeline-template").selectOption("nightly-verification");
  await expect(page.getByTestId("pipeline-run")).toBeDisabled();
  await expect(page.getByText("Needed: SHA256.")).toBeVisible();
  await page.getByLabel("SHA256").fill("0".repeat(64));
  await page.getByTestId("pipeline-run").click();
  const steps = page.getByTestId("pipeline-steps").getByRole("listitem");
  await expect(steps.nth(1)).toContainText("failed: CHECK_FAILED");
  await expect(steps.nth(1)).toContainText("Try: ");
  await expect(steps.nth(5)).toContainText("nightly.json");
  await expect(page.getByTestId("pipeline-result")).toContainText("5 of 6 stages");

  await page.getByTestId("pipeline-template").selectOption("before-training");
  await page.getByLabel("MODEL", { exact: true }).fill("nowhere.ckpt");
  await expect(steps.nth(2)).toContainText("No file nowhere.ckpt is open in this page", { timeout: 10_000 });
});

test("the editor can be used and left with the keyboard alone", async ({ page }) => {
  await openView(page);
  await page.getByTestId("pipeline-editor").locator(".cm-content").focus();
  await page.keyboard.press("Control+End");
  await page.keyboard.type("  - che");
  await expect(page.locator(".cm-tooltip-autocomplete")).toContainText("check");
  await page.waitForTimeout(100);
  await page.keyboard.press("Enter");
  await expect(page.locator(".cm-tooltip-autocomplete")).toContainText("validate");
  await page.waitForTimeout(100);
  await page.keyboard.type("val");
  await page.waitForTimeout(300);
  await page.keyboard.press("Enter");
  await expect(line(page, "check: validate")).toBeVisible();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Tab");
  await expect(page.getByTestId("pipeline-editor").locator(".cm-content")).not.toBeFocused();
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`axe has no serious finding, with a problem and after a run, in ${colorScheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await openView(page);
    await page.getByTestId("pipeline-run").click();
    await expect(page.getByTestId("pipeline-result")).toBeVisible();
    expect(await seriousFindings(page)).toEqual([]);
    await toEndOf(page, "sink: save");
    await page.keyboard.type("x");
    await expect(page.getByTestId("pipeline-problems").getByRole("button")).toBeVisible();
    expect(await seriousFindings(page)).toEqual([]);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(overflow).toBe(0);
  });
}
