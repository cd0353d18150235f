import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Catalog, loadConfig } from "@ckptkit/catalog";
import { afterAll, describe, expect, it } from "vitest";
import { CHROMIUM } from "../src/browser-examples.js";
import { examplesOf, fileNameOf, fillFolder, runExample } from "../src/examples.js";
import { blocksOf, pageNames, ROOT, readPage } from "../src/pages.js";

if (!existsSync(`${ROOT}packages/cli/dist/main.js`)) throw new Error("packages/cli is not built. Build it first: pnpm build");

/** What changes from run to run. */
const steady = (text: string): string =>
  text
    .replace(/ *\d+(?:\.\d+)? (?:ms|s)\b/g, " TIME")
    .replace(/[ \t]+$/gm, "")
    .trimEnd();

for (const name of pageNames()) {
  const page = readPage(name);
  const examples = examplesOf(page);
  const configurations = blocksOf(page).filter(
    ({ language, code, marks }) => language === "yaml" && /^stages:/m.test(code) && !marks.includes("other"),
  );
  if (examples.length === 0 && configurations.length === 0) continue;

  describe(`docs/${name}`, () => {
    const folder = mkdtempSync(join(tmpdir(), "ckpt-docs-"));
    fillFolder(folder, page);
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    it.each(configurations.map((block) => [block.line, block] as const))("shows a good configuration at line %i", async (line, block) => {
      const config = await loadConfig({ text: block.code, file: fileNameOf(block) ?? `line ${line}` }, await Catalog.load(), {
        environment: (variable) => (block.code.includes(`${variable}:-`) ? undefined : `value-of-${variable}`),
        readRelative: async (file) => ({ file, text: blocksOf(page).find((other) => fileNameOf(other) === file)?.code ?? "" }),
      });
      expect(config.stages.length).toBeGreaterThan(0);
    });

    // In order: later examples use what earlier ones have written.
    it.for(examples.map((example) => [example.block.line, example] as const))(
      "shows at line %i what runs",
      async ([line, example], context) => {
        if (example.block.marks.includes("browser") && !existsSync(CHROMIUM)) return context.skip("no Chromium");
        const ended = await runExample(example, folder, `line-${line}`);
        expect(ended.stderr).toBe("");
        expect(ended.code).toBe(example.code);
        if (example.output !== undefined) expect(steady(ended.stdout)).toBe(steady(example.output));
      },
    );
  });
}
