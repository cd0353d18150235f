// Makes the tables in the pages anew from the code: `pnpm --filter @ckptkit/docs tables`. A test fails while one is out of date.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { bundled } from "./bundled.mjs";

const { withTables, PAGES_WITH_TABLES } = await bundled("tables");
for (const page of PAGES_WITH_TABLES) {
  const file = fileURLToPath(new URL(`pages/${page}`, import.meta.url));
  const before = readFileSync(file, "utf8");
  const after = await withTables(before);
  if (after === before) continue;
  writeFileSync(file, after);
  process.stdout.write(`wrote apps/docs/pages/${page}\n`);
}
