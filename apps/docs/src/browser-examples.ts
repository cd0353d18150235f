import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, join } from "node:path";
import { chromium } from "@playwright/test";
import type { Ended } from "./examples.js";

/** Chromium for examples of pages: the one that `npm test` found or ruled out (an empty value), or the system's own. */
export const CHROMIUM = process.env.CKPTKIT_CHROMIUM ?? "/usr/bin/chromium";

/** What the example's page holds besides the example: the test picks `vit-tiny.ckpt` in the input, as a user would. */
const PAGE =
  '<!doctype html><html lang="en"><title>Example</title><link rel="icon" href="data:,"><input type="file"><script type="module" src="/example.js"></script>';
const PICKED = "vit-tiny.ckpt";
const LIMIT_MS = 20_000;

/**
 * Runs a bundled example in a page of Chromium. The files of `folder` are served beside it. It has ended when it has printed as many lines as
 * are expected of it, or has failed.
 */
export async function runInPage(bundle: string, folder: string, lines: number): Promise<Ended> {
  const server = createServer((request, response) => {
    const path = basename(decodeURIComponent(new URL(request.url ?? "/", "http://page").pathname));
    try {
      const body = path === "" ? PAGE : path === "example.js" ? readFileSync(bundle) : readFileSync(join(folder, path));
      response.writeHead(200, {
        "content-type": path === "" ? "text/html" : path.endsWith(".js") ? "text/javascript" : "application/octet-stream",
      });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
  try {
    const page = await browser.newPage();
    const stdout: string[] = [];
    const stderr: string[] = [];
    page.on("pageerror", (error) => stderr.push(String(error)));
    page.on("console", (message) => (message.type() === "error" ? stderr : stdout).push(message.text()));
    const { port } = server.address() as AddressInfo; // it listens on a port, not on a pipe
    await page.goto(`http://127.0.0.1:${port}/`);
    await page.locator("input").setInputFiles(join(folder, PICKED));
    const end = Date.now() + LIMIT_MS;
    while (stdout.length < lines && stderr.length === 0 && Date.now() < end) await page.waitForTimeout(20);
    return { code: stdout.length < lines || stderr.length > 0 ? 1 : 0, stdout: `${stdout.join("\n")}\n`, stderr: stderr.join("\n") };
  } finally {
    await browser.close();
    server.close();
  }
}
