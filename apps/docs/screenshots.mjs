// Takes pictures of every view of the playground, wide and narrow, light and dark: node screenshots.mjs [view...]. The site has to be built.
// They go to test-results/screenshots, for people to look at.
import { mkdirSync } from "node:fs";
import { parseArgs } from "node:util";
import { chromium } from "@playwright/test";
import { serveSite } from "../../scripts/lib/site-server.mjs";

const { values, positionals } = parseArgs({ options: { root: { type: "string" }, width: { type: "string" } }, allowPositionals: true });
const FOLDER = "test-results/screenshots";
const SIZES = [
  { width: 1440, height: 900 },
  { width: 390, height: 844 },
].filter(({ width }) => !values.width || width === Number(values.width));
const press = (name) => (page) => page.getByRole("button", { name }).first().click();
const VIT = "sample=vit-tiny";
const SICK = "sample=diverged";

/** Name, address, and what is done before the picture is taken. */
const SHOTS = [
  ["open", ""],
  ["open-error", "url=https://127.0.0.1:9/model.safetensors", (page) => page.getByRole("alert").waitFor()],
  ["overview", `${VIT}&view=overview`],
  ["tensors", `${VIT}&view=tensors`],
  [
    "tensor",
    `${SICK}&view=tensor&tensor=blocks.1.mlp.0.weight`,
    (page) => page.getByRole("heading", { name: "Where they stand" }).waitFor(),
  ],
  ["tensor-weights", `${VIT}&view=tensor&tensor=state_dict.model.blocks.0.attn.qkv.weight`],
  ["objects", `${VIT}&view=objects`],
  ["objects-search", `${VIT}&view=objects`, (page) => page.getByRole("searchbox").fill("lr")],
  ["scan-before", `${SICK}&view=scan`],
  [
    "scan",
    `${SICK}&view=scan`,
    async (page) => {
      await press("Scan every number")(page);
      await page.getByRole("button", { name: "Scan again" }).waitFor();
    },
  ],
  ["audit", `sample=whole-module&view=audit`, (page) => page.getByTestId("verdict").waitFor()],
  ["audit-clean", `${VIT}&view=audit`, (page) => page.getByTestId("verdict").waitFor()],
  [
    "hash",
    `${VIT}&view=hash`,
    async (page) => {
      await press(/^Hash /)(page);
      await page.getByTestId("digest").waitFor();
      await page.getByLabel("Compare with").fill("0".repeat(64));
    },
  ],
  [
    "hash-tensors",
    `${VIT}&view=hash`,
    async (page) => {
      await page.getByRole("combobox").nth(1).selectOption("each tensor");
      await press(/^Hash /)(page);
      await page.getByRole("grid").waitFor();
    },
  ],
  ["compare-before", `${VIT}&view=compare`],
  [
    "compare",
    `${VIT}&view=compare`,
    async (page) => {
      await page.getByLabel("Sample").selectOption("lightning-hparams");
      await page.getByTestId("comparison").waitFor();
    },
  ],
  [
    "convert",
    `${VIT}&view=convert`,
    async (page) => {
      await press("Convert and save")(page);
      await page.getByTestId("converted").waitFor();
    },
  ],
  ["pipeline", `${VIT}&view=pipeline`, (page) => page.getByText("The run can go on").waitFor()],
];

const site = await serveSite({ port: 0, ...(values.root ? { root: values.root } : {}) });
const browser = await chromium.launch({ executablePath: process.env.CKPTKIT_CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox"] });
mkdirSync(FOLDER, { recursive: true });
for (const viewport of SIZES) {
  for (const colorScheme of ["light", "dark"]) {
    const isPhone = viewport.width < 500;
    const context = await browser.newContext({ viewport, colorScheme, hasTouch: isPhone, isMobile: isPhone, reducedMotion: "reduce" });
    // Downloads, not the system's dialogues.
    await context.addInitScript(() => Reflect.deleteProperty(window, "showSaveFilePicker"));
    for (const [name, query, act] of SHOTS) {
      if (positionals.length > 0 && !positionals.some((wanted) => name.startsWith(wanted))) continue;
      const page = await context.newPage();
      const path = `${FOLDER}/${name}-${viewport.width}-${colorScheme}.png`;
      try {
        await page.goto(`${site.url}playground.html?${query}`);
        if (query.includes("sample=")) await page.getByTestId("session-name").waitFor();
        await act?.(page);
        await page.waitForTimeout(500);
      } catch (error) {
        process.stderr.write(`${path}: ${error.message.split("\n")[0]}\n`);
      }
      await page.screenshot({ path });
      await page.close();
    }
    await context.close();
  }
}
await browser.close();
await site.close();
