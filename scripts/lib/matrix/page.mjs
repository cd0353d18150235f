// A user's page in Chromium: the README's program of the browser's package, with a checkpoint dropped on it.
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { findChromium } from "../chromium.mjs";
import { inRoot } from "../root.mjs";

const FILE = "vit-tiny.ckpt";
const PAGE = '<!doctype html><html lang="en"><title>User</title><script type="module" src="./bundle.js"></script><body></body></html>\n';
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };
const LIMIT_MS = 30_000;

/** Opens the folder's bundle in a page, drops a checkpoint, and looks whether the page says what is in it. */
export async function dropOnPage(folder) {
  const { path, reason } = await findChromium();
  if (!path) return { mark: "-", note: `no Chromium: ${reason}` };
  writeFileSync(join(folder, "index.html"), PAGE);
  const server = await serve(folder);
  const { chromium } = await import("playwright-core");
  const browser = await chromium.launch({ executablePath: path, args: ["--no-sandbox", "--disable-background-networking"] });
  const errors = [];
  try {
    const page = await browser.newPage();
    page.on("pageerror", (error) => errors.push(error.message));
    await page.goto(`http://127.0.0.1:${server.address().port}/`, { waitUntil: "networkidle" });
    const bytes = readFileSync(inRoot("fixtures", "files", FILE)).toString("base64");
    await page.evaluate(
      ({ name, base64 }) => {
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))], name));
        document.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
      },
      { name: FILE, base64: bytes },
    );
    await page.waitForFunction(() => /\d+ tensors/.test(document.body.textContent ?? ""), undefined, { timeout: LIMIT_MS });
    return { mark: "ok" };
  } catch (error) {
    return { mark: "FAIL", note: "its page", trouble: [error.message, ...errors].join("\n") };
  } finally {
    await browser.close();
    server.closeAllConnections();
    server.close();
  }
}

function serve(folder) {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    try {
      const file = join(folder, normalize(pathname === "/" ? "/index.html" : pathname));
      const body = readFileSync(file);
      response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}
