import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Catalog, loadConfig } from "@ckptkit/catalog";
import { afterAll, describe, expect, it } from "vitest";
import { examplesOf, fileNameOf, fillFolder, runShell, runTypeScript } from "../src/examples.js";
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
    it.each(examples.map((example) => [example.block.line, example] as const))(
      "shows at line %i what runs",
      async (line, { block, output }) => {
        const run = {
          ts: runTypeScript,
          sh: runShell,
          yaml: (_: string, at: string) => runShell(`ckpt run ${fileNameOf(block) ?? ""}`, at),
        };
        expect(Object.keys(run)).toContain(block.language);
        const ended = await run[block.language as keyof typeof run](block.code, folder, `line-${line}`); // checked above
        expect(ended.stderr).toBe("");
        expect(ended.code).toBe(0);
        if (output !== undefined) expect(steady(ended.stdout)).toBe(steady(output));
      },
    );
  });
}
