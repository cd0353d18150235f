// The tests of the site: vitest, then Playwright on the built site. Both leave a report; the exit code is bad when one of them is. Arguments go to Playwright.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const require = createRequire(import.meta.url);
const chromium = process.env.CKPTKIT_CHROMIUM ?? "/usr/bin/chromium";

/** Runs the command that a package brings. */
function tool(name, bin, args) {
  const script = join(dirname(require.resolve(`${name}/package.json`)), bin);
  return spawnSync(process.execPath, [script, ...args], { stdio: "inherit" }).status ?? 1;
}

const unit = tool("vitest", "vitest.mjs", ["run"]);
// Without a Chromium, `npm test` counts these files as skipped and says why.
const pages = chromium !== "" && existsSync(chromium) ? tool("@playwright/test", "cli.js", ["test", ...process.argv.slice(2)]) : 0;
process.exitCode = unit || pages;
