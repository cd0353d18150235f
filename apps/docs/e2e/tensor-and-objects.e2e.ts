import { expect, type Page, test } from "@playwright/test";
import { DESKTOP, errorsOf } from "./site.js";
import { openSample, toView, truthOf } from "./steps.js";

const tensor = (page: Page) => page.getByTestId("tensor");
const heatMap = (page: Page) => page.getByRole("img", { name: /^Heat map of/ });

/** The colours that a canvas shows: how many, and a digest of all pixels. */
const picture = (page: Page): Promise<{ colours: number; digest: string }> =>
  heatMap(page).evaluate(async (canvas) => {
    if (!(canvas instanceof HTMLCanvasElement)) throw new Error("The heat map is no canvas.");
    const pixels = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data ?? new Uint8ClampedArray();
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", pixels));
    return { colours: new Set(new Uint32Array(pixels.buffer)).size, digest: [...digest].join() };
  });

test("a tensor is shown as a picture of a slice that one chooses, as a distribution, and as its bytes' digest", async ({ page }) => {
  const errors = errorsOf(page);
  const path = "state_dict.model.patch_embed.weight";
  const truth = truthOf("vit-tiny.ckpt").find((each) => each.path === path);
  await openSample(page, "vit-tiny", `&view=tensor&tensor=${path}`);
  await expect(tensor(page)).toContainText("[32, 3, 8, 8]");
  await expect(heatMap(page)).toBeVisible();
  const first = await picture(page);
  expect(first.colours).toBeGreaterThan(20);

  // Another filter of the convolution is another picture.
  await page.getByRole("slider", { name: /^Axis 0/ }).fill("7");
  await expect.poll(async () => (await picture(page)).digest).not.toBe(first.digest);
  const second = await picture(page);
  // The first two axes: 32 rows of 3 cells.
  await page.getByRole("combobox", { name: "Down" }).selectOption("0");
  await page.getByRole("combobox", { name: "Right" }).selectOption("1");
  await expect(heatMap(page)).toHaveAttribute("aria-label", /: 32 by 3 cells/);
  expect((await picture(page)).digest).not.toBe(second.digest);
  // A click goes nearer, and a button back.
  await page.getByRole("combobox", { name: "Right" }).selectOption("3");
  await expect(heatMap(page)).toHaveAttribute("aria-label", /: 32 by 8 cells/);
  await heatMap(page).click({ position: { x: 10, y: 10 } });
  await expect(heatMap(page)).toHaveAttribute("aria-label", /: 16 by 8 cells/);
  await page.getByRole("button", { name: "Whole" }).click();
  await expect(heatMap(page)).toHaveAttribute("aria-label", /: 32 by 8 cells/);

  await expect(page.getByRole("img", { name: /^Histogram of .*: 6,144 finite numbers from/ })).toBeVisible();
  await page.getByRole("button", { name: "magnitudes" }).click();
  await expect(page.getByRole("button", { name: "magnitudes" })).toHaveAttribute("aria-pressed", "true");

  await page.getByRole("button", { name: "Compute" }).click();
  await expect(tensor(page)).toContainText(truth?.sha256 ?? "no truth");
  expect(errors).toEqual([]);
});

test("numbers that are none are counted, placed and shown among the values, from any place on", DESKTOP, async ({ page }) => {
  const truth = truthOf("special-numbers.pt").find(({ path }) => path === "float32");
  await openSample(page, "special-numbers", "&view=tensor&tensor=float32");
  const numbers = page.getByTestId("numbers");
  await expect(numbers).toContainText(`Min${truth?.min}`);
  await expect(numbers).toContainText(`Max${truth?.max}`);
  await expect(numbers).toContainText(`Zeros${truth?.zeros}`);
  await expect(numbers).toContainText(`NaN${truth?.nan}`);
  const values = tensor(page).locator(".values li");
  await expect(values).toHaveCount(9);
  await expect(values.filter({ hasText: /^NaN$/ })).toHaveCount(2);
  await expect(values.filter({ hasText: /Infinity$/ })).toHaveCount(2);

  await page.getByRole("button", { name: "Tensor after" }).click();
  await expect(tensor(page)).toContainText("float64");
  expect(page.url()).toContain("tensor=float64");

  await openSample(page, "special-numbers", "&view=tensor&tensor=one_nan_in_many");
  const place = tensor(page).locator(".places li");
  await expect(place).toHaveText(/^NaN \[\d+\]$/);
  const at = /\d+/.exec((await place.textContent()) ?? "")?.[0] ?? "";
  const from = page.getByRole("spinbutton", { name: /from element/ });
  await from.fill(at);
  await from.press("Enter");
  await expect(values.first()).toHaveText("NaN");
});

test("what the file says besides tensors is opened, walked through with the keyboard, and searched", DESKTOP, async ({ page }) => {
  const errors = errorsOf(page);
  await openSample(page, "vit-tiny", "&view=objects");
  const tree = page.getByRole("treegrid");
  const lines = tree.locator(".line");
  await expect(lines.first()).toContainText("epoch");
  await expect(lines.first()).toContainText("5");

  // Right opens, left closes; the fourth line is the state dict.
  await tree.focus();
  for (const _ of [1, 2, 3]) await page.keyboard.press("ArrowDown");
  const weights = lines.filter({ hasText: "state_dict" }).first();
  await expect(weights).toHaveClass(/is-active/);
  await page.keyboard.press("ArrowRight");
  await expect(weights).toHaveAttribute("aria-expanded", "true");
  await page.keyboard.press("ArrowDown");
  await expect(lines.filter({ hasText: "model.cls_token" })).toHaveAttribute("aria-level", "2");
  await page.keyboard.press("ArrowLeft");
  await expect(weights).toHaveClass(/is-active/);
  await page.keyboard.press("ArrowLeft");
  await expect(weights).toHaveAttribute("aria-expanded", "false");

  const search = page.getByRole("searchbox");
  await search.fill("_last_lr");
  const hit = page.getByRole("button", { name: /_last_lr/ });
  await expect(hit).toHaveCount(1);
  await hit.click();
  await expect(tree).toBeFocused();
  await expect(lines.and(page.locator(".is-active"))).toContainText("_last_lr");
  await search.fill("nothing is called so");
  await expect(page.getByText("Nothing found")).toBeVisible();
  await page.getByRole("button", { name: "Clear the search" }).click();

  await search.fill("model.head.weight");
  await page.getByRole("button", { name: /state_dict › model\.head\.weight/ }).click();
  await expect(lines.and(page.locator(".is-active"))).toContainText("model.head.weight");
  await page.keyboard.press("Enter");
  await expect(tensor(page)).toContainText("[10, 32]");
  await toView(page, "Objects");
  await expect(tree).toBeVisible();
  expect(errors).toEqual([]);
});
