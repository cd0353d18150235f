// Makes the site's images (icons, the picture for links to it) from the mark, with Chromium: `pnpm --filter @ckptkit/docs images`. They are in the repository.
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromium } from "@playwright/test";

const LIT = new Set(["0,1", "1,2", "2,1", "3,0"]);
const cells = [0, 1, 2].flatMap((y) =>
  [0, 1, 2, 3].map(
    (x) => `<rect x="${8 * x}" y="${8 * y}" width="7" height="7" rx="1.2" fill="${LIT.has(`${x},${y}`) ? "#5cc8d2" : "#2c393c"}"/>`,
  ),
);
const mark = (width) => `<svg viewBox="0 0 31 23" width="${width}">${cells.join("")}</svg>`;
const centred = (body, more = "") =>
  `<body style="margin:0;height:100vh;display:grid;place-items:center;background:#0f1416;${more}">${body}</body>`;
const words = `<div style="padding:0 90px;font-family:system-ui,sans-serif;color:#e4ebec">${mark(190)}
  <h1 style="margin:44px 0 0;font-size:92px;line-height:1.02;letter-spacing:-3px">See inside any checkpoint</h1>
  <p style="margin:28px 0 0;font-size:34px;line-height:1.4;color:#a4b2b4">PyTorch, Lightning, safetensors: in a browser tab or in Node. No Python, no upload, no pickle executed.</p></div>`;
const IMAGES = [
  { name: "icon-192.png", width: 192, height: 192, html: centred(mark(144)) },
  { name: "icon-512.png", width: 512, height: 512, html: centred(mark(384)) },
  // Only the middle of a maskable icon is sure to be seen: a circle of 80 %.
  { name: "icon-maskable.png", width: 512, height: 512, html: centred(mark(290)) },
  { name: "og.png", width: 1200, height: 630, html: centred(words) },
];

const browser = await chromium.launch({ executablePath: process.env.CKPTKIT_CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox"] });
for (const { name, width, height, html } of IMAGES) {
  const page = await browser.newPage({ viewport: { width, height } });
  await page.setContent(html);
  writeFileSync(fileURLToPath(new URL(`pages/public/${name}`, import.meta.url)), await page.screenshot());
  await page.close();
}
await browser.close();
