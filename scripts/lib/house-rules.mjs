// The rules on files that no linter knows: short, kebab-case, and named for what is in them.
import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { packages } from "./packages.mjs";
import { inRoot } from "./root.mjs";

const FOLDERS = ["src", "test", "e2e", "playground", ".vitepress/build", ".vitepress/theme"];
/** Tests may be longer: a table of cases is one thing. So may components: script, template and style are three. */
const MAX_LINES = { src: 250, test: 400, vue: 350 };
const KEBAB_CASE = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+)*\.(?:ts|mjs)$/;
const PASCAL_CASE = /^(?:[A-Z][a-z0-9]*)+\.vue$/;
const SAYS_NOTHING = /^(?:utils?|helpers?|misc|common)\.(?:ts|mjs)$/;

/** The broken rules, as lines. */
export function brokenHouseRules() {
  const folders = [...packages().flatMap(({ folder }) => FOLDERS.map((name) => `${folder}/${name}`)), "scripts"];
  return folders.flatMap((folder) => list(folder).flatMap(check));
}

function check(file) {
  const name = basename(file);
  const lines = readFileSync(inRoot(file), "utf8").split("\n").length - 1;
  const allowed = name.endsWith(".vue") ? MAX_LINES.vue : /\/(?:test|e2e)\//.test(file) ? MAX_LINES.test : MAX_LINES.src;
  return [
    ...(name.endsWith(".vue") || KEBAB_CASE.test(name) ? [] : [`${file}: file names are kebab-case`]),
    ...(!name.endsWith(".vue") || PASCAL_CASE.test(name) ? [] : [`${file}: names of components are PascalCase`]),
    ...(SAYS_NOTHING.test(name) ? [`${file}: name the file for what is in it`] : []),
    ...(lines > allowed ? [`${file}: ${lines} lines; such a file has ${allowed} at most`] : []),
  ];
}

function list(folder) {
  try {
    return readdirSync(inRoot(folder), { recursive: true })
      .map((name) => `${folder}/${String(name).replaceAll("\\", "/")}`)
      .filter((file) => /\.(?:ts|mjs|vue)$/.test(file));
  } catch {
    return [];
  }
}
