import { openCheckpoint } from "@ckptkit/node";
import { bigTorchZip } from "@ckptkit/testkit/node";
import { expect, type Page, test } from "@playwright/test";
import { errorsOf, OPEN } from "./site.js";
import { openFile, openSample, readSafetensors, savedBy, toView, truthOf, withoutSystemDialogues } from "./steps.js";

const lines = (page: Page) => page.getByRole("grid").filter({ visible: true }).locator(".line");
const scan = (page: Page): Promise<void> => page.getByRole("button", { name: /^Scan (?:every number|again)/ }).click();
const glob = (page: Page) => page.getByPlaceholder(/^All tensors, or a glob/);

test("a scan of a large file is paused, goes on, is stopped, and shows what it has found at any time", async ({ page }) => {
  const errors = errorsOf(page);
  const big = await bigTorchZip({ bytes: 40e9, tensors: 400, lightning: true });
  try {
    await page.goto("playground.html");
    await openFile(page, big.path, "big.ckpt");
    await toView(page, "Scan");
    await scan(page);
    await expect(lines(page).nth(2)).toContainText("state_dict.layers.");
    await page.getByRole("button", { name: "Pause" }).click();
    const bar = page.getByRole("progressbar", { name: "Scan" });
    const at = (): Promise<string> => page.locator(".now").textContent().then(String);
    // What is under way when one pauses comes to its end.
    let before = "";
    await expect
      .poll(async () => {
        const now = await at();
        const stands = now === before;
        before = now;
        return stands;
      })
      .toBe(true);
    await expect(bar).toBeVisible();
    await page.getByRole("button", { name: "Go on" }).click();
    await expect.poll(at).not.toBe(before);
    await page.getByRole("button", { name: "Stop" }).click();
    await expect(page.getByText(/stopped after \d+ tensors?/)).toBeVisible();
    await expect(page.getByText("No NaN and no infinity so far")).toBeVisible();

    // One of them alone is scanned by a glob, to its end: its first number is its place + 0.5.
    await glob(page).fill("*.layers.7.weight");
    await scan(page);
    await expect(page.getByText(/Every number is finite: [\d,]+ numbers in 1 tensor/)).toBeVisible();
    await expect(lines(page)).toHaveCount(1);
    await expect(lines(page)).toContainText("7.5");
    expect(errors).toEqual([]);
  } finally {
    await big.remove();
  }
});

test("what a scan found is sorted by a click, walked through with the keyboard, and is torch's truth", async ({ page }) => {
  const truth = truthOf("special-numbers.pt");
  await openSample(page, "special-numbers", "&view=scan");
  await scan(page);
  await expect(page.getByText(/^12 tensors with values that are not finite/)).toBeVisible();
  await expect(lines(page)).toHaveCount(truth.length);
  for (const { path, nan, posInf, negInf, zeros } of truth) {
    const line = lines(page).filter({ has: page.getByRole("button", { name: path, exact: true }) });
    await expect(line.locator(".bad"), path).toHaveText(nan + posInf + negInf === 0 ? "0" : `${nan} · ${posInf + negInf}`);
    await expect(line.locator(".zeros"), path).toHaveText(String(zeros));
  }
  await page.getByRole("button", { name: "Tensor", exact: true }).click();
  await expect(page.getByRole("columnheader", { name: /^Tensor/ })).toHaveAttribute("aria-sort", "ascending");
  await expect(lines(page).first()).toContainText("all_nan");
  await page.getByRole("button", { name: /^Tensor/ }).click();
  await expect(page.getByRole("columnheader", { name: /^Tensor/ })).toHaveAttribute("aria-sort", "descending");
  await expect(lines(page).first()).toContainText("one_nan_in_many");

  await page.getByRole("grid").focus();
  await page.keyboard.press("End");
  await expect(lines(page).last()).toHaveAttribute("aria-selected", "true");
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("tensor")).toContainText("all_nan");
});

test("a page that is not isolated finds the same", async ({ page }) => {
  const rowsAt = async (site: string): Promise<string[]> => {
    await page.goto(`${site}playground.html?sample=vit-tiny&view=scan`);
    await expect(page.getByTestId("session-name")).toBeVisible();
    await scan(page);
    await expect(page.getByText(/^Every number is finite/)).toBeVisible();
    return lines(page).allInnerTexts();
  };
  const isolated = await rowsAt("/");
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  const open = await rowsAt(OPEN);
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(false);
  expect(open.length).toBeGreaterThan(10);
  expect(open).toEqual(isolated);
});

for (const [format, dtype, layout, written] of [
  ["safetensors", "BF16", "state_dict", "BF16"],
  ["PyTorch state dict", "F16", "state_dict", "F16"],
  ["PyTorch checkpoint", "keep as they are", "pytorch", "F32"],
  ["Lightning checkpoint", "F32", "lightning", "F32"],
] as const) {
  test(`a checkpoint is converted to a ${format} with its numbers as ${written}`, async ({ page }, { outputDir }) => {
    await withoutSystemDialogues(page);
    await openSample(page, "vit-tiny", "&view=convert");
    await page.getByRole("radio", { name: format }).check();
    await page.getByRole("combobox").selectOption(dtype);
    const path = await savedBy(page, () => page.getByRole("button", { name: "Convert and save" }).click(), outputDir);
    await expect(page.getByTestId("converted")).toContainText("44 tensors");
    const checkpoint = await openCheckpoint(path);
    try {
      const truth = truthOf("vit-tiny.ckpt").filter(({ path: each }) => each.startsWith("state_dict."));
      expect(checkpoint.layout).toBe(layout);
      expect(checkpoint.tensors.map(({ name }) => name).sort()).toEqual(truth.map((each) => each.path.slice("state_dict.".length)).sort());
      expect(new Set(checkpoint.tensors.map((tensor) => tensor.dtype))).toEqual(new Set([written]));
    } finally {
      await checkpoint.close();
    }
  });
}

test("a checkpoint is quantised for ggml, and only there", async ({ page }, { outputDir }) => {
  await withoutSystemDialogues(page);
  await openSample(page, "vit-tiny", "&view=convert");
  await page.getByRole("radio", { name: "GGUF" }).check();
  await page.getByRole("combobox").selectOption("Q8_0");
  await page.getByRole("radio", { name: "safetensors" }).check();
  await expect(page.getByRole("combobox")).toHaveValue("");
  await page.getByRole("radio", { name: "GGUF" }).check();
  await page.getByRole("combobox").selectOption("Q8_0");
  const path = await savedBy(page, () => page.getByRole("button", { name: "Convert and save" }).click(), outputDir);
  const checkpoint = await openCheckpoint(path);
  try {
    const { dtype } = checkpoint.tensors.find(({ name }) => name === "model.head.weight") ?? {};
    expect([checkpoint.format, checkpoint.tensors.length, dtype]).toEqual(["gguf", 44, "Q8_0"]);
  } finally {
    await checkpoint.close();
  }
});

test("a model is written in shards of a size, which open together from the page", async ({ page }, { outputDir }) => {
  const big = await bigTorchZip({ bytes: 5e6, tensors: 5, lightning: true });
  try {
    await withoutSystemDialogues(page);
    await page.goto("playground.html");
    await openFile(page, big.path);
    await toView(page, "Convert");
    await page.getByLabel("Shards of at most, in GB").fill("0.002");
    const saved: string[] = [];
    page.on("download", async (download) => {
      const path = `${outputDir}/${download.suggestedFilename()}`;
      await download.saveAs(path);
      saved.push(path);
    });
    await page.getByRole("button", { name: "Convert and save" }).click();
    await expect.poll(() => saved.length).toBe(4);
    const shards = saved.filter((path) => path.endsWith(".safetensors")).sort();
    expect(shards.map((path) => path.split("/").at(-1))).toEqual([1, 2, 3].map((n) => `big-0000${n}-of-00003.safetensors`));
    expect(shards.flatMap((path) => [...readSafetensors(path).keys()]).sort()).toEqual([0, 1, 2, 3, 4].map((n) => `layers.${n}.weight`));
    await page.getByRole("button", { name: "Open it" }).click();
    await expect(page.getByTestId("session-name")).toHaveText("big.safetensors.index.json");
    await expect(page.locator("header").filter({ visible: true }).getByText("5 tensors")).toBeVisible();
  } finally {
    await big.remove();
  }
});
