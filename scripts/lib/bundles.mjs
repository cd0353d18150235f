// Bundles what a browser would load, from the packed packages, for the size limits and for what must not be in there.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { BUNDLES } from "../bundles.mjs";
import { USER_FOLDER } from "./pack.mjs";
import { inRoot } from "./root.mjs";

/** Builds every bundle of scripts/bundles.mjs into .cache/bundles; returns the problems found, as lines. */
export async function buildBundles() {
  const { build } = await import("esbuild");
  const folder = inRoot(".cache", "bundles");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const problems = [];
  for (const { file, name, code, mustAppear, mustNotAppear } of BUNDLES) {
    try {
      const { metafile, outputFiles } = await build({
        stdin: { contents: code, resolveDir: USER_FOLDER, sourcefile: `${file}.js` },
        outfile: `${folder}/${file}.js`,
        bundle: true,
        minify: true,
        format: "esm",
        platform: "browser",
        target: "es2022",
        metafile: true,
        write: false,
        logLevel: "silent",
      });
      writeFileSync(`${folder}/${file}.js`, outputFiles[0].contents);
      const inputs = contributing(metafile);
      problems.push(...found(name, outputFiles[0].text, inputs, mustNotAppear), ...missing(name, inputs, mustAppear));
    } catch (error) {
      // esbuild's own message names the module that has no place in a browser, or the export that is gone.
      problems.push(`${name}: ${error.message}`);
    }
  }
  return problems;
}

const contributing = ({ outputs }) =>
  Object.values(outputs)
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
