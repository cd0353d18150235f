import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, type Page, test } from "@playwright/test";
import { errorsOf } from "./site.js";
import { fixture, openFile, openSample, safetensorsOf, savedBy, torchZip, toView, truthOf } from "./steps.js";

/** Says which line of a grid comes first. */
const firstLine = (page: Page) => page.getByRole("grid").filter({ visible: true }).locator(".line").first();

test("an honest checkpoint is clean, and one that calls something is dangerous, with the reason and what to do", async ({ page }, {
  outputDir,
}) => {
  const errors = errorsOf(page);
  await openSample(page, "vit-tiny", "&view=audit");
  await expect(page.getByTestId("verdict")).toContainText("clean");
  await expect(page.getByRole("table")).toContainText("torch._utils._rebuild_tensor_v2");

  await page.getByRole("button", { name: "Open another" }).click();
  // It would print a word, were it ever loaded by Python. Here it is read only.
  const pickle = Buffer.from("\x80\x02cos\nsystem\nX\x04\x00\x00\x00echo\x85R.", "latin1");
  await openFile(page, { name: "gift.pt", mimeType: "", buffer: torchZip(pickle) });
  await toView(page, "Audit");
  const verdict = page.getByTestId("verdict");
  await expect(verdict).toContainText("dangerous");
  await expect(verdict).toContainText("os.system");
  await expect(page.getByRole("table")).toContainText("os.system");
  await expect(page.locator(".findings")).toContainText(/Loading|load/);
  const saved = await savedBy(page, () => page.getByRole("button", { name: "JSON" }).click(), outputDir);
  expect(JSON.parse(readFileSync(saved, "utf8")).verdict).toBe("dangerous");
  expect(errors).toEqual([]);
});

test("digests are those of other tools, of the file and of tensors, and another digest is told", async ({ page }) => {
  const bytes = readFileSync(fixture("vit-tiny.ckpt"));
  const digest = (algorithm: string): string => createHash(algorithm).update(bytes).digest("hex");
  await openSample(page, "vit-tiny", "&view=hash");
  const [algorithm, of] = [page.getByRole("combobox").nth(0), page.getByRole("combobox").nth(1)];
  const hash = page.getByRole("button", { name: /^Hash / });
  await hash.click();
  await expect(page.getByTestId("digest")).toContainText(digest("sha256"));
  await page.getByLabel("Compare with").fill(`${digest("sha256").toUpperCase()}  vit-tiny.ckpt`);
  await expect(page.getByText("The same")).toBeVisible();
  await page.getByLabel("Compare with").fill(digest("sha256").replace(/^./, "g"));
  await expect(page.getByText("Not the same")).toBeVisible();
  await algorithm.selectOption("md5");
  await hash.click();
  await expect(page.getByTestId("digest")).toContainText(digest("md5"));

  await algorithm.selectOption("sha256");
  await of.selectOption("each tensor");
  await hash.click();
  const [truth] = truthOf("vit-tiny.ckpt");
  await expect(firstLine(page)).toContainText(truth?.path ?? "no truth");
  await expect(firstLine(page)).toContainText(truth?.sha256 ?? "no truth");
});

test("two checkpoints are compared: what was added, removed, changed, and by how much", async ({ page }, { outputDir }) => {
  const before = safetensorsOf({ kept: [1, 2, 3], drifted: [1, 2, 3, 4], reshaped: [1, 2], gone: [0] });
  const after = safetensorsOf({ kept: [1, 2, 3], drifted: [1, 2, 3.5, 4], reshaped: [1, 2, 3], come: [7] });
  const file = (name: string, buffer: Buffer) => ({ name, mimeType: "", buffer });
  await page.goto("playground.html");
  await openFile(page, file("before.safetensors", before));
  await toView(page, "Compare");
  await page.getByTestId("other-input").setInputFiles(file("after.safetensors", after));
  await expect(page.getByTestId("other-name")).toHaveText("after.safetensors");
  await expect(page.getByTestId("comparison")).toContainText("Different: 2 changed, 1 removed, 1 added, 1 the same");
  const lines = page.getByRole("grid").locator(".line");
  await expect(lines).toHaveCount(4);
  await expect(lines.filter({ hasText: "drifted" })).toContainText("1 of 4 differ, by at most 0.5");
  await expect(lines.filter({ hasText: "reshaped" })).toContainText("[2] → [3]");
  await expect(lines.filter({ hasText: "gone" })).toContainText("removed");
  await expect(lines.filter({ hasText: "come" })).toContainText("added");

  // Within a tolerance there is one difference less; without values only names and shapes count.
  await page.getByLabel("absolute tolerance").fill("0.5");
  await page.getByRole("button", { name: "Compare again" }).click();
  await expect(page.getByTestId("comparison")).toContainText("Different: 1 changed, 1 removed, 1 added, 2 the same");
  const saved = await savedBy(page, () => page.getByTestId("comparison").getByRole("button", { name: "JSON" }).click(), outputDir);
  expect(JSON.parse(readFileSync(saved, "utf8")).verdict).toBe("different");

  await page.getByRole("button", { name: "Compare with something else" }).click();
  await page.getByTestId("other-input").setInputFiles(file("copy.safetensors", before));
  await expect(page.getByTestId("comparison")).toContainText("The same: 4 tensors are equal, value by value");
  await page.getByRole("button", { name: "Compare with something else" }).click();
  await page.getByTestId("other-input").setInputFiles(file("broken.safetensors", before.subarray(0, 40)));
  await expect(page.getByRole("alert")).toContainText("damaged");
});
