// Writes the templates of scripts/templates under a name, and enters what is new where others look for it.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { sharedFields } from "../manifests.mjs";
import { inRoot } from "../root.mjs";
import { StepFailed } from "../steps.mjs";
import { EDITS } from "./edits.mjs";

export const KINDS = ["stage", "source", "format", "package"];
export const STAGES = ["check", "modifier", "sink"];

const NAME = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;

/** Templates and where they go; a name stands in the place of NAME. */
const FILES = {
  stage: ({ as }) => ({
    [`stage/src/${as}.ts`]: `packages/stages/src/${as}s/NAME.ts`,
    [`stage/test/${as}.ts`]: `packages/stages/test/NAME-${as}.everywhere.test.ts`,
  }),
  source: () => ({
    "source/src/source.ts": "packages/stages/src/sources/NAME.ts",
    "source/test/source.ts": "packages/stages/test/NAME-source.everywhere.test.ts",
  }),
  format: () => ({
    "format/src/signature.ts": "packages/formats/src/NAME/signature.ts",
    "format/src/reader.ts": "packages/formats/src/NAME/reader.ts",
    "format/src/index.ts": "packages/formats/src/NAME/index.ts",
    "format/test/reader.ts": "packages/formats/test/NAME.everywhere.test.ts",
  }),
  package: () => ({
    "package/package.json": "packages/NAME/package.json",
    "package/README.md": "packages/NAME/README.md",
    "package/src/index.ts": "packages/NAME/src/index.ts",
    "package/src/count-zeros.ts": "packages/NAME/src/count-zeros.ts",
    "package/test/count-zeros.ts": "packages/NAME/test/count-zeros.everywhere.test.ts",
  }),
};

const NEXT = {
  stage: ["pnpm generate, so that the package exports it", "pnpm --filter @ckptkit/docs tables"],
  source: ["pnpm generate, so that the package exports it", "pnpm --filter @ckptkit/docs tables"],
  format: [
    "fixtures made by the format's own software, with a generator in fixtures/generate",
    "a line in the table of packages/formats/README.md",
  ],
  package: [
    "pnpm install, which links it",
    "pnpm facts, which writes what it weighs and draws its imports",
    "a line in the tables of README.md and ARCHITECTURE.md",
  ],
};
const ALWAYS = ["pnpm api, which writes down what is exported now", "pnpm changeset"];

/**
 * Makes a stage, source, format or package in the checkout at `root`; returns `{ written, changed, next }`, paths relative to it.
 * Throws StepFailed before anything is written.
 */
export function create(root, { kind, name, as = STAGES[0] }) {
  if (!NAME.test(name)) throw new StepFailed(`${JSON.stringify(name)} is no name: it has small letters, digits and single hyphens.`);
  const files = Object.entries(FILES[kind]({ as })).map(([template, target]) => ({ template, target: target.replace("NAME", name) }));
  const taken = files.filter(({ target }) => existsSync(join(root, target)));
  if (taken.length > 0) throw new StepFailed(`There is a ${taken[0].target} already.`);
  const edits = EDITS[kind](name).map(({ file, edit }) => ({ file, text: edit(readFileSync(join(root, file), "utf8")) }));
  const written = files.map(({ template, target }) => {
    const text = named(readFileSync(inRoot("scripts", "templates", template), "utf8"), name);
    write(join(root, target), target.endsWith("/package.json") ? withShared(text, dirname(target)) : text);
    return target;
  });
  if (kind === "package") written.push(...configure(root, `packages/${name}`));
  for (const { file, text } of edits) write(join(root, file), text);
  return { written, changed: edits.map(({ file }) => file), next: [...NEXT[kind], ...ALWAYS] };
}

function write(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** A template with the name in place of `template-name`, in whatever case that stands there. */
function named(text, kebab) {
  const [first, ...rest] = kebab.split("-");
  const capital = (word) => word[0].toUpperCase() + word.slice(1);
  const camel = [first, ...rest.map(capital)].join("");
  return text
    .replaceAll("template-name", kebab)
    .replaceAll("template_name", kebab.replaceAll("-", "_"))
    .replaceAll("templateName", camel)
    .replaceAll("TemplateName", capital(camel));
}

/** A manifest with what all manifests have in common. */
const withShared = (text, folder) => {
  const { name, version, description, keywords, ...rest } = JSON.parse(text);
  return `${JSON.stringify({ name, version, description, keywords, ...sharedFields(folder), ...rest }, null, 2)}\n`;
};

/** The configuration of a new package is that of one that needs nothing but core. */
function configure(root, folder) {
  return ["tsconfig.json", "vitest.config.ts"].map((file) => {
    write(join(root, folder, file), readFileSync(inRoot("packages", "pickle", file), "utf8"));
    return `${folder}/${file}`;
  });
}
