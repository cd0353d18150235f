import { defineConfig } from "@playwright/test";
import { ISOLATED, OPEN } from "./e2e/site.js";

const executablePath = process.env.CKPTKIT_CHROMIUM || "/usr/bin/chromium";
const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

/** Tests of the built site, as a person uses it: two servers, with and without the headers that isolate a page. */
export default defineConfig({
  testDir: "e2e",
  testMatch: "*.e2e.ts",
  outputDir: "test-results/playwright",
  // Generous, as the tests run beside others: what takes too long is measured in bench/, not here.
  timeout: 120_000,
  expect: { timeout: 20_000 },
  workers: 1,
  // A test that passes only when it is tried twice is not one that passes.
  retries: 0,
  forbidOnly: Boolean(process.env.CI),
  reporter: [["line"], ["json", { outputFile: "test-results/playwright.json" }]],
  use: {
    baseURL: ISOLATED,
    launchOptions: {
      executablePath,
      args: [
        "--no-sandbox",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--enable-precise-memory-info",
      ],
    },
    trace: "off",
  },
  projects: [
    { name: "desktop", use: { viewport: { width: 1440, height: 900 } } },
    // What has nothing to do with the size of the screen runs once.
    { name: "phone", use: phone, testIgnore: "*.desktop.e2e.ts", grepInvert: /@desktop/ },
  ],
  webServer: [
    { command: `node serve.mjs ${new URL(ISOLATED).port}`, url: ISOLATED, reuseExistingServer: !process.env.CI },
    { command: `node serve.mjs ${new URL(OPEN).port} --open`, url: OPEN, reuseExistingServer: !process.env.CI },
  ],
});
