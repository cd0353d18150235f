// Makes the tables in the pages anew from the code: `pnpm --filter @ckptkit/docs tables`. A test fails while one is out of date.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
// In a folder beside src, as the program finds the repository from where it is itself.
const outfile = `${here}test-results/tables.mjs`;
mkdirSync(`${here}test-results`, { recursive: true });
// The packages' sources are TypeScript, which Node cannot run by itself.
await build({
  entryPoints: [`${here}src/tables.ts`],
  outfile,
  bundle: true,
  format: "esm",
  platform: "node",
  target: "es2022",
  logLevel: "warning",
});
const { withTables, PAGES_WITH_TABLES } = await import(outfile);
for (const page of PAGES_WITH_TABLES) {
  const file = `${here}pages/${page}`;
  const before = readFileSync(file, "utf8");
  const after = await withTables(before);
  if (after === before) continue;
  writeFileSync(file, after);
  process.stdout.write(`wrote apps/docs/pages/${page}\n`);
}
