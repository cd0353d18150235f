// Bundles what a browser would load, from the packed packages, for the size limits and for what must not be in there.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { BUNDLES } from "../bundles.mjs";
import { USER_FOLDER } from "./pack.mjs";
import { inRoot } from "./root.mjs";

const ENTRY = "entry";

/** Builds every bundle of scripts/bundles.mjs into .cache/bundles/FILE, in `first` what is loaded first, in `later` the rest; returns the problems found, as lines. */
export async function buildBundles() {
  const { build } = await import("esbuild");
  const folder = inRoot(".cache", "bundles");
  rmSync(folder, { recursive: true, force: true });
  const problems = [];
  for (const { file, name, code, limitOfAll, mustAppear, mustNotAppear, mustComeLater } of BUNDLES) {
    try {
      const { metafile, outputFiles } = await build({
        stdin: { contents: code, resolveDir: USER_FOLDER, sourcefile: `${file}.js` },
        absWorkingDir: inRoot(),
        outdir: `${folder}/${file}`,
        entryNames: ENTRY,
        bundle: true,
        // Undivided where nothing is to come later: what is loaded when it is needed counts as well.
        splitting: limitOfAll !== undefined,
        minify: true,
        format: "esm",
        platform: "browser",
        target: "es2022",
        metafile: true,
        write: false,
        logLevel: "silent",
      });
      const outputs = new Map(Object.entries(metafile.outputs).map(([path, output]) => [basename(path), output]));
      const first = loadedFirst(outputs);
      for (const { path, contents } of outputFiles) {
        const part = `${folder}/${file}/${first.has(basename(path)) ? "first" : "later"}`;
        mkdirSync(part, { recursive: true });
        writeFileSync(`${part}/${basename(path)}`, contents);
      }
      const inputs = contributing([...outputs.values()]);
      problems.push(
        ...found(name, outputFiles.map(({ text }) => text).join("\n"), inputs, mustNotAppear),
        ...missing(name, inputs, mustAppear),
      );
      const early = contributing([...first].map((path) => outputs.get(path)));
      if (mustComeLater) problems.push(...found(`${name}, what is loaded first`, "", early, mustComeLater));
    } catch (error) {
      // esbuild's own message names the module that has no place in a browser, or the export that is gone.
      problems.push(`${name}: ${error.message}`);
    }
  }
  return problems;
}

/** The entry, and what it imports other than by `import()`. */
function loadedFirst(outputs) {
  const first = new Set([`${ENTRY}.js`]);
  for (const path of first)
    for (const { path: imported, kind } of outputs.get(path).imports) if (kind === "import-statement") first.add(basename(imported));
  return first;
}

const contributing = (outputs) =>
  outputs
    .flatMap((output) => Object.entries(output.inputs))
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([path]) => path);

const missing = (name, inputs, { files = [] } = {}) =>
  files.filter((file) => !inputs.some((path) => file.test(path))).map((file) => `${name}: no file of the bundle is ${file}`);

function found(name, text, inputs, { packages = [], files = [], text: patterns = [] }) {
  return [
    ...packages.flatMap((banned) =>
      inputs
        .filter((path) => path.includes(`node_modules/${banned}/`))
        .map((path) => `${name}: ${path} is in the bundle, and ${banned} must not be`),
    ),
    ...files.flatMap((file) =>
      inputs.filter((path) => file.test(path)).map((path) => `${name}: ${path} is in the bundle, and ${file} must not be`),
    ),
    ...patterns.filter((pattern) => pattern.test(text)).map((pattern) => `${name}: ${pattern} matches the bundle, and must not`),
  ];
}
