// Finds Chromium for the tests that run in a browser, or installs it where the machine allows that without a question.
import { accessSync, constants, existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { tool } from "./root.mjs";
import { environment, run } from "./run.mjs";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
const USUAL_PLACES = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/opt/google/chrome/chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  join(process.env.PROGRAMFILES ?? "C:\\Program Files", "Google\\Chrome\\Application\\chrome.exe"),
];
/** Where Playwright keeps the browsers that it downloads, by platform. */
const PLAYWRIGHT_CACHES = [
  process.env.PLAYWRIGHT_BROWSERS_PATH,
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "ms-playwright"),
  join(homedir(), "Library", "Caches", "ms-playwright"),
  join(process.env.LOCALAPPDATA ?? homedir(), "ms-playwright"),
];
const IN_PLAYWRIGHT = [
  "chrome-linux/chrome",
  "chrome-linux64/chrome",
  "chrome-mac/Chromium.app/Contents/MacOS/Chromium",
  "chrome-win/chrome.exe",
  "chrome-win64/chrome.exe",
];

/** The command that a person would type to get what is missing. */
export const CHROMIUM_HELP =
  "apt-get install chromium, or npx playwright-core install --with-deps chromium, or set CKPTKIT_CHROMIUM to a Chromium";

/**
 * Resolves to `{ path, how }`, or to `{ reason }` when there is no Chromium on this machine.
 * A candidate counts only when it starts: Ubuntu's `chromium-browser`, for one, may be a stub that asks for a snap.
 */
export async function findChromium() {
  const named = process.env.CKPTKIT_CHROMIUM;
  if (named && !(await starts(named))) return { reason: `CKPTKIT_CHROMIUM names ${named}, which does not start` };
  if (named) return { path: named, how: "CKPTKIT_CHROMIUM" };
  for (const path of candidates()) if (await starts(path)) return { path, how: "found" };
  return { reason: "no Chromium found" };
}

/** Like findChromium, and installs one when there is none. */
export async function obtainChromium() {
  const found = await findChromium();
  if (found.path || process.env.CKPTKIT_CHROMIUM) return found;
  const byApt = await installByApt();
  const afterApt = await findChromium();
  if (afterApt.path) return { ...afterApt, how: "installed by apt" };
  await run([...tool("playwright-core"), "install", "chromium"], { limitMs: 180_000 });
  const downloaded = await findChromium();
  if (downloaded.path) return { ...downloaded, how: "installed by playwright-core" };
  return { reason: `no Chromium found; ${byApt}; playwright-core could not download one either (see .cache/setup.log)` };
}

function candidates() {
  const onPath = (process.env.PATH ?? "").split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  const downloaded = PLAYWRIGHT_CACHES.filter((folder) => folder && existsSync(folder)).flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.startsWith("chromium-"))
      .flatMap((name) => IN_PLAYWRIGHT.map((rest) => join(folder, name, rest))),
  );
  return [...new Set([...onPath, ...USUAL_PLACES, ...downloaded])].filter(isExecutable);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function starts(path) {
  // Chrome for Windows opens a window on --version: there its presence must do.
  if (process.platform === "win32") return existsSync(path);
  const { code, output } = await run([path, "--version"], { limitMs: 20_000 });
  return code === 0 && /chrom/i.test(output);
}

/** Installs with apt on Debian or Ubuntu as root; returns what happened, in words. */
async function installByApt() {
  if (process.getuid?.() !== 0) return "apt was not tried, as this is not root";
  const system = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  if (!/^ID(_LIKE)?=.*(debian|ubuntu)/m.test(system)) return "apt was not tried, as this is not Debian or Ubuntu";
  const env = environment({ DEBIAN_FRONTEND: "noninteractive" });
  await run(["apt-get", "update"], { env, limitMs: 180_000 });
  const { code, timedOut } = await run(["apt-get", "install", "-y", "--no-install-recommends", "chromium"], { env, limitMs: 300_000 });
  if (timedOut) return "apt-get install chromium took more than 5 minutes";
  return code === 0 ? "apt installed a chromium that does not start" : "apt-get install chromium failed";
}
