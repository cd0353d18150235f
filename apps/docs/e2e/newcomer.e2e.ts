import { createHash } from "node:crypto";
import { expect, test } from "@playwright/test";
import { DESKTOP, errorsOf } from "./site.js";
import { openFile, readSafetensors, savedBy, toView, truthOf, withoutSystemDialogues } from "./steps.js";

const SICK = "blocks.1.mlp.0.weight";

test("a newcomer finds the NaN in a sample, learns its module, saves the rest, and sees that what was saved is the same", async ({ page }, {
  outputDir,
}) => {
  const errors = errorsOf(page);
  await withoutSystemDialogues(page);
  await page.goto("playground.html");
  await page.getByRole("button", { name: /A run that diverged/ }).click();
  await expect(page.getByTestId("session-name")).toHaveText("diverged.pt");

  await toView(page, "Scan");
  await page.getByRole("button", { name: "Scan every number" }).click();
  await expect(page.getByText("1 tensor with values that are not finite: 3 NaN, 1 infinite")).toBeVisible();
  const first = page.getByRole("grid").locator(".line").first();
  await expect(first).toContainText(SICK);
  await first.getByRole("button", { name: SICK }).click();

  // Which weight, and where in it: as the generator of the fixture planted them.
  await expect(page.getByTestId("tensor")).toContainText("3 NaN · 1 Inf");
  const places = page.getByTestId("tensor").locator(".places li");
  await expect(places).toHaveText(["NaN [5, 11]", "NaN [5, 12]", "Inf [17, 30]", "NaN [41, 3]"]);
  const modules = page.getByRole("navigation", { name: "Modules of this tensor" });
  await expect(modules.getByRole("button")).toContainText(["blocks", "1", "mlp", "0"]);
  await modules.getByRole("button", { name: "mlp" }).click();
  await expect(page.getByRole("tab", { name: "Tensors" })).toHaveAttribute("aria-selected", "true");
  expect(page.url()).toContain("filter=in:blocks.1.mlp");

  await toView(page, "Convert");
  await page.getByLabel("Leave out the 1 tensor in which the scan found NaN or infinities").check();
  const saved = await savedBy(page, () => page.getByRole("button", { name: "Convert and save" }).click(), outputDir);
  expect(saved).toMatch(/diverged\.safetensors$/);
  await expect(page.getByTestId("converted")).toContainText("43 tensors");
  const written = readSafetensors(saved);
  const healthy = truthOf("diverged.pt").filter(({ path }) => path !== SICK);
  expect([...written.keys()].sort()).toEqual(healthy.map(({ path }) => path).sort());
  for (const { path, sha256 } of healthy) {
    expect(
      createHash("sha256")
        .update(written.get(path)?.bytes ?? "")
        .digest("hex"),
      path,
    ).toBe(sha256);
  }

  await page.getByRole("button", { name: "Open another" }).click();
  await openFile(page, saved, "diverged.safetensors");
  await toView(page, "Scan");
  await page.getByRole("button", { name: "Scan every number" }).click();
  await expect(page.getByText(/Every number is finite: [\d,]+ numbers in 43 tensors/)).toBeVisible();
  await toView(page, "Compare");
  await page.getByRole("combobox", { name: "Sample" }).selectOption("diverged");
  await expect(page.getByTestId("comparison")).toContainText("Different: 1 added, 43 the same");
  const row = page.getByRole("grid").filter({ visible: true }).locator(".line");
  await expect(row).toHaveCount(1);
  await expect(row).toContainText(SICK);
  await expect(row).toContainText("added");
  expect(errors).toEqual([]);
});

test("what was converted opens and compares from the page itself, without a way by the disk", DESKTOP, async ({ page }, { outputDir }) => {
  await withoutSystemDialogues(page);
  await page.goto("playground.html?sample=vit-tiny&view=convert");
  const saved = await savedBy(page, () => page.getByRole("button", { name: "Convert and save" }).click(), outputDir);
  expect(readSafetensors(saved).size).toBe(44);
  await page.getByRole("button", { name: "Compare with the original" }).click();
  await expect(page.getByTestId("comparison")).toContainText("The same: 44 tensors are equal, value by value");
  await toView(page, "Convert");
  await page.getByRole("button", { name: "Open it" }).click();
  await expect(page.getByTestId("session-name")).toHaveText("vit-tiny.safetensors");
});
