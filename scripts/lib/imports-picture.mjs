// The picture in ARCHITECTURE.md of which package imports which, drawn from the sources.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { publishable } from "./packages.mjs";
import { inRoot } from "./root.mjs";

const FILE = "ARCHITECTURE.md";
const BLOCK = /<!-- picture: made by `pnpm facts` -->\n[\s\S]*?<!-- \/picture -->\n/;
const IMPORT = /(?:\bfrom|\bimport\()\s*"(@ckptkit\/[a-z0-9-]+)/g;

/** Draws the picture anew; returns the files that changed. */
export function writePicture() {
  const { text, next } = drawn();
  if (text === next) return [];
  writeFileSync(inRoot(FILE), next);
  return [FILE];
}

/** What is wrong with the picture, as lines. */
export function pictureProblems() {
  const { text, next } = drawn();
  return text === next ? [] : [`${FILE}: the picture of the imports is not that of the sources. \`pnpm facts\` draws it anew.`];
}

function drawn() {
  const text = readFileSync(inRoot(FILE), "utf8");
  if (!BLOCK.test(text)) throw new Error(`${FILE} has no place for the picture of the imports.`);
  return { text, next: text.replace(BLOCK, () => picture()) };
}

function picture() {
  const imports = new Map(publishable().map(({ name, folder }) => [name, importsOf(name, folder)]));
  const reaches = (from, to) => [...(imports.get(from) ?? [])].some((next) => next === to || reaches(next, to));
  const short = (name) => name.replace("@ckptkit/", "");
  const arrows = [...imports].flatMap(([name, below]) =>
    [...below]
      .filter((to) => ![...below].some((other) => other !== to && reaches(other, to)))
      .map((to) => `  ${short(name)} --> ${short(to)}`),
  );
  return `<!-- picture: made by \`pnpm facts\` -->\n\`\`\`mermaid\ngraph TD\n${arrows.sort().join("\n")}\n\`\`\`\n<!-- /picture -->\n`;
}

function importsOf(name, folder) {
  const files = readdirSync(inRoot(folder, "src"), { recursive: true }).map(String);
  const found = files
    .filter((file) => file.endsWith(".ts"))
    .flatMap((file) => [
      ...readFileSync(inRoot(folder, "src", file), "utf8")
        .replace(/^\s*\*.*$/gm, "")
        .matchAll(IMPORT),
    ])
    .map(([, imported]) => imported)
    .filter((imported) => imported !== name);
  return new Set(found);
}
