// The rules on files that no linter knows: short, kebab-case, and named for what is in them.
import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { packages } from "./packages.mjs";
import { inRoot } from "./root.mjs";

/** Tests may be longer: a table of cases is one thing. */
const MAX_LINES = { src: 250, test: 400 };
const KEBAB_CASE = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+)*\.(?:ts|mjs)$/;
const SAYS_NOTHING = /^(?:utils?|helpers?|misc|common)\.(?:ts|mjs)$/;

/** The broken rules, as lines. */
export function brokenHouseRules() {
  const folders = [...packages().flatMap(({ folder }) => [`${folder}/src`, `${folder}/test`]), "scripts"];
  return folders.flatMap((folder) => list(folder).flatMap(check));
}

function check(file) {
  const name = basename(file);
  const lines = readFileSync(inRoot(file), "utf8").split("\n").length - 1;
  const allowed = file.includes("/test/") ? MAX_LINES.test : MAX_LINES.src;
  return [
    ...(KEBAB_CASE.test(name) ? [] : [`${file}: file names are kebab-case`]),
    ...(SAYS_NOTHING.test(name) ? [`${file}: name the file for what is in it`] : []),
    ...(lines > allowed ? [`${file}: ${lines} lines; such a file has ${allowed} at most`] : []),
  ];
}

function list(folder) {
  try {
    return readdirSync(inRoot(folder), { recursive: true })
      .map((name) => `${folder}/${String(name).replaceAll("\\", "/")}`)
      .filter((file) => /\.(?:ts|mjs)$/.test(file));
  } catch {
    return [];
  }
}
