import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "@playwright/test";

const port = Number(process.env.CKPTKIT_SITE_PORT ?? 4310);
/** The built site with the headers that isolate a page, and without them. */
export const ISOLATED = `http://127.0.0.1:${port}/`;
export const OPEN = `http://127.0.0.1:${port + 1}/`;

/** Marks a test of what has nothing to do with the size of the screen, as files called `*.desktop.e2e.ts` are: it runs once. */
export const DESKTOP = { tag: "@desktop" };

const axeScript = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/**
 * Serious and critical findings of axe on the page as it stands: rule, and the elements that break it.
 *
 * @param within a selector: only what is in there is looked at
 */
export async function seriousFindings(page: Page, within = "html"): Promise<string[]> {
  // Through evaluate, as the page's own policy forbids a foreign script element.
  await page.evaluate(axeScript);
  return page.evaluate(async (selector) => {
    // The script has just put axe there.
    const { axe } = globalThis as unknown as { axe: typeof import("axe-core") };
    const { violations } = await axe.run(selector, { resultTypes: ["violations"] });
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`);
  }, within);
}

/** What the page says on its console as an error, and what it throws, from now on. */
export function errorsOf(page: Page): string[] {
  const errors: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  page.on("pageerror", (error) => errors.push(String(error)));
  return errors;
}
