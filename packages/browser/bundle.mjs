// Builds dist/ckptkit.js: everything that a page may want, in one file without imports, for a plain <script type="module">. What stands above
// this package in the staircase is in there as well, so it is put together here and not in src.
//   node bundle.mjs [folder]
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { build } from "esbuild";

const folder = process.argv[2] ?? "dist";
/** Names that several packages have: those of this one are meant. */
const OWN = "openCheckpoint";
const entry = (inspect) =>
  [
    ...["@ckptkit/core", "@ckptkit/wasm", "@ckptkit/formats", "@ckptkit/remote", inspect].map((name) => `export * from "${name}";\n`),
    `export * from "@ckptkit/browser";\n`,
    `export { ${OWN} } from "@ckptkit/browser";\n`,
  ].join("");

mkdirSync(folder, { recursive: true });
await build({
  stdin: { contents: entry("@ckptkit/inspect"), resolveDir: import.meta.dirname, sourcefile: "ckptkit.js" },
  outfile: `${folder}/ckptkit.js`,
  bundle: true,
  minify: true,
  format: "esm",
  platform: "browser",
  target: "es2022",
  // Read from the sources, whose barrels are stars: a module that is imported late as well would not be started (scripts/lib/named-stars.mjs tells why).
  ignoreAnnotations: true,
  banner: {
    js: `/*! ckptkit ${JSON.parse(readFileSync("package.json", "utf8")).version}, Apache-2.0; carries aws4fetch, (c) Michael Hart, MIT: see THIRD-PARTY-NOTICES.md */`,
  },
  legalComments: "none",
  logLevel: "warning",
});

// The declarations of what is bundled in come along, as far as its index leads to them; those of the others are installed with this package.
const declarations = "node_modules/@ckptkit/inspect/dist";
if (folder === "dist" && existsSync(declarations)) {
  const files = new Set(["index.d.ts"]);
  for (const file of files) {
    const text = readFileSync(join(declarations, file), "utf8");
    for (const [, path] of text.matchAll(/(?:from |import\()"(\.[^"]+)\.js"/g)) files.add(`${join(dirname(file), path)}.d.ts`);
    mkdirSync(dirname(join(folder, "inspect", file)), { recursive: true });
    writeFileSync(join(folder, "inspect", file), text);
  }
  writeFileSync(`${folder}/ckptkit.d.ts`, entry("./inspect/index.js").replaceAll("@ckptkit/browser", "./index.js"));
}
