import { expect, type Page, test } from "@playwright/test";
import { errorsOf, seriousFindings } from "./site.js";
import { openSample, toView, withoutSystemDialogues } from "./steps.js";

/** The views, and what is done in each so that all of it shows. The pipeline's has a test of its own. */
const VIEWS: readonly { name: string; act?: (page: Page) => Promise<void>; shows: (page: Page) => ReturnType<Page["locator"]> }[] = [
  { name: "Overview", shows: (page) => page.getByTestId("overview") },
  { name: "Tensors", shows: (page) => page.getByTestId("tensor-rows").locator(".line .name").first() },
  {
    name: "Scan",
    act: (page) => page.getByRole("button", { name: "Scan every number" }).click(),
    shows: (page) => page.getByText(/^1 tensor with values that are not finite/),
  },
  {
    name: "One tensor",
    act: async (page) => {
      await toView(page, "Scan");
      await page.getByRole("button", { name: "blocks.1.mlp.0.weight" }).click();
    },
    shows: (page) => page.getByText("Where they stand"),
  },
  {
    name: "Objects",
    act: (page) => page.getByRole("treegrid").press("ArrowDown"),
    shows: (page) => page.getByRole("treegrid").locator(".line").first(),
  },
  { name: "Audit", shows: (page) => page.getByTestId("verdict") },
  { name: "Hash", act: (page) => page.getByRole("button", { name: /^Hash / }).click(), shows: (page) => page.getByTestId("digest") },
  {
    name: "Compare",
    act: async (page) => void (await page.getByRole("combobox", { name: "Sample" }).selectOption("vit-tiny")),
    shows: (page) => page.getByTestId("comparison"),
  },
  {
    name: "Convert",
    act: (page) => page.getByRole("button", { name: "Convert and save" }).click(),
    shows: (page) => page.getByTestId("converted"),
  },
];

test("every view is usable by everybody in light and dark, and fits the screen", async ({ page }) => {
  const errors = errorsOf(page);
  await withoutSystemDialogues(page);
  const inTheme = (colorScheme: "light" | "dark"): Promise<void> => page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
  await inTheme("light");
  await openSample(page, "diverged");
  expect(await seriousFindings(page)).toEqual([]);
  for (const { name, act, shows } of VIEWS) {
    await toView(page, name);
    await act?.(page);
    await expect(shows(page), name).toBeVisible();
    for (const theme of ["light", "dark"] as const) {
      await inTheme(theme);
      await expect(page.locator("html.dark")).toHaveCount(theme === "dark" ? 1 : 0);
      expect(await seriousFindings(page, ".frame"), `${name}, ${theme}`).toEqual([]);
    }
    await inTheme("light");
    const overflow = await page.evaluate(() => {
      const view = document.querySelector("#pg-view");
      const wider = (element: Element | null): number => (element ? element.scrollWidth - element.clientWidth : 0);
      return wider(document.documentElement) + wider(view);
    });
    expect(overflow, `pixels that the view ${name} is wider than its place`).toBe(0);
  }
  expect(errors).toEqual([]);
});

test("the dialogues for sharing and saving, and an error, are usable by everybody", async ({ page }) => {
  await openSample(page, "ties");
  await page.getByRole("button", { name: "Share" }).click();
  await expect(page.getByRole("dialog")).toBeVisible();
  expect(await seriousFindings(page)).toEqual([]);
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await page.getByRole("button", { name: "Export" }).click();
  await expect(page.getByRole("dialog").getByText("Markdown for people")).toBeVisible();
  expect(await seriousFindings(page)).toEqual([]);
  await page.goto("playground.html?url=http://127.0.0.1:9/model.ckpt");
  await expect(page.getByRole("alert")).toBeVisible();
  expect(await seriousFindings(page)).toEqual([]);
});
