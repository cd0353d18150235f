// Runs TypeScript of src, which imports the packages' sources: Node cannot do so by itself.
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));

/** The exports of `src/NAME.ts`. */
export async function bundled(name) {
  // In a folder beside src, as the program finds the repository from where it is itself.
  const outfile = `${here}.cache/${name}.mjs`;
  mkdirSync(`${here}.cache`, { recursive: true });
  await build({
    entryPoints: [`${here}src/${name}.ts`],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "es2022",
    external: ["typedoc"],
    // Some dependencies are CommonJS, which asks for Node's own modules.
    banner: { js: 'import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);' },
    logLevel: "warning",
  });
  return import(outfile);
}
