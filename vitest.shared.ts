import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";

/** Chromium for tests: the one that `npm test` found, installed or ruled out (an empty value), or the system's own. */
const chromium =
  process.env.CKPTKIT_CHROMIUM ??
  ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) => existsSync(path));
const setupFiles = [fileURLToPath(new URL("./vitest.setup.ts", import.meta.url))];

/**
 * The tests of one package. `test/*.test.ts` run in Node; `test/*.everywhere.test.ts` run in Node and in Chromium,
 * and `test/*.browser.test.ts` in Chromium alone.
 */
export function suite(options: { browser?: boolean } = {}) {
  const node = {
    test: {
      name: "node",
      include: ["test/**/*.test.ts"],
      exclude: ["test/**/*.browser.test.ts"],
      setupFiles,
      // Files share what they import: half the time of all tests went into importing the same again. A test leaves nothing behind.
      isolate: false,
      testTimeout: 60_000,
      hookTimeout: 120_000,
    },
  };
  const browser = {
    test: {
      name: "chromium",
      include: ["test/**/*.everywhere.test.ts", "test/**/*.browser.test.ts"],
      setupFiles,
      isolate: false,
      testTimeout: 60_000,
      browser: {
        enabled: true,
        headless: true,
        screenshotFailures: false,
        provider: playwright({
          launchOptions: {
            executablePath: chromium,
            args: ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
          },
        }),
        instances: [{ browser: "chromium" as const }],
      },
    },
  };
  return defineConfig({
    test: {
      projects: options.browser && chromium ? [node, browser] : [node],
      reporters: ["default", "json"],
      outputFile: { json: "test-results/vitest.json" },
    },
  });
}
