// pnpm fuzz [--target NAME]... [--seconds N] [--executions N] [--seed S] [--keep]
import { mkdirSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const inHere = (path) => fileURLToPath(new URL(path, import.meta.url));
const outfile = inHere("../.cache/fuzz/cli.mjs");
mkdirSync(inHere("../.cache/fuzz"), { recursive: true });
await build({
  entryPoints: [inHere("src/cli.ts")],
  outfile,
  bundle: true,
  format: "esm",
  platform: "node",
  external: ["esbuild", "typescript"],
  define: { "import.meta.dirname": JSON.stringify(inHere("src")) },
});
await import(pathToFileURL(outfile).href);
