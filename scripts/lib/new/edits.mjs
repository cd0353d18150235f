// Where something new has to be entered, so that it is found: each edit is one file and what becomes of its text.
import { StepFailed } from "../steps.mjs";

const STAGE_FOLDERS_ARE_READ = () => [];

export const EDITS = {
  // Stages are found by being there.
  stage: STAGE_FOLDERS_ARE_READ,
  source: STAGE_FOLDERS_ARE_READ,
  format: (name) => [
    { file: "packages/formats/package.json", edit: (text) => withExport(text, name) },
    { file: "packages/formats/src/readers.ts", edit: (text) => withReader(text, name) },
  ],
  package: (name) => [{ file: ".dependency-cruiser.mjs", edit: (text) => withStair(text, name) }],
};

/** A manifest that also exports the folder `name`, to the repository and to users. */
function withExport(text, name) {
  const manifest = JSON.parse(text);
  manifest.exports[`./${name}`] = `./src/${name}/index.ts`;
  manifest.publishConfig.exports[`./${name}`] = { types: `./dist/${name}/index.d.ts`, default: `./dist/${name}/index.js` };
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

/** The list of readers with one more at its head: a magic number of its own tells its files before any other is asked. */
function withReader(text, name) {
  const camel = name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
  const head = /^export const READERS\b.*\n/m;
  if (!head.test(text)) throw new StepFailed("packages/formats/src/readers.ts has no READERS any more.");
  return text
    .replace(head, (line) => `${line}  lazyReader(${camel}Signature, async () => (await import("./${name}/reader.js")).${camel}Reader),\n`)
    .replace(/^import /m, `import { ${camel}Signature } from "./${name}/signature.js";\nimport `);
}

/** The staircase with one more package, which stands on core alone. */
function withStair(text, name) {
  const head = /^const MAY_IMPORT = \{\n/m;
  if (!head.test(text)) throw new StepFailed(".dependency-cruiser.mjs has no MAY_IMPORT any more.");
  const key = name.includes("-") ? JSON.stringify(name) : name;
  return text.replace(head, (line) => `${line}  ${key}: ["core"],\n`);
}
