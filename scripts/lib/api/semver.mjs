// Whether a change's changesets say enough about what it does to the API reports. Before 1.0 a minor version may break; from then on only
// a major one may.
import { readdirSync, readFileSync } from "node:fs";
import { publishable } from "../packages.mjs";
import { inRoot } from "../root.mjs";
import { run } from "../run.mjs";

const LEVELS = ["none", "patch", "minor", "major"];
const BUMP = /^["']?(@?[\w./-]+)["']?: *(patch|minor|major) *$/;

/** The broken promises, as lines: what the change since `base` (a git revision) removes or alters, and what its changesets call it. */
export async function understated(base) {
  const { code, output } = await run(["git", "diff", "--no-color", "--unified=0", `${base}...HEAD`, "--", "etc/api"], { limitMs: 60_000 });
  if (code !== 0) return [output];
  const declared = await declaredSince(base);
  return publishable().flatMap(({ name, manifest }) => {
    const { removed, added } = changesOf(output, name);
    const stable = Number(manifest.version.split(".")[0]) > 0;
    const needed = removed.length > 0 ? (stable ? "major" : "minor") : added.length > 0 && stable ? "minor" : "none";
    const said = declared.get(name) ?? "none";
    if (LEVELS.indexOf(said) >= LEVELS.indexOf(needed)) return [];
    const what = removed.length > 0 ? "removes or alters" : "adds";
    return [
      `${name}: the change ${what} what others import, so a changeset has to call it ${needed} (now: ${said})`,
      ...[...removed.map((line) => `- ${line}`), ...added.map((line) => `+ ${line}`)].slice(0, 12).map((line) => `    ${line}`),
    ];
  });
}

/** The lines of a package's reports that are gone and new. */
function changesOf(diff, name) {
  const folder = `etc/api/${name.replace("@ckptkit/", "")}/`;
  const removed = [];
  const added = [];
  let inside = false;
  for (const line of diff.split("\n")) {
    if (line.startsWith("diff --git")) inside = line.includes(` b/${folder}`);
    else if (inside && /^-(?!--)\s*\S/.test(line)) removed.push(line.slice(1).trim());
    else if (inside && /^\+(?!\+\+)\s*\S/.test(line)) added.push(line.slice(1).trim());
  }
  // A line that only moved says nothing new.
  const gone = removed.filter((line) => !added.includes(line));
  return { removed: gone, added: added.filter((line) => !removed.includes(line)) };
}

/** The largest step that the changesets since `base` name for each package. */
async function declaredSince(base) {
  const { output } = await run(["git", "diff", "--name-only", "--diff-filter=AM", `${base}...HEAD`, "--", ".changeset"], {
    limitMs: 60_000,
  });
  const declared = new Map();
  const here = new Set(readdirSync(inRoot(".changeset")).map((file) => `.changeset/${file}`));
  for (const file of output.split("\n").filter((file) => here.has(file) && file.endsWith(".md"))) {
    const head = readFileSync(inRoot(file), "utf8").split("---")[1] ?? "";
    for (const [, name, level] of head.split("\n").flatMap((line) => [BUMP.exec(line) ?? []])) {
      if (name && LEVELS.indexOf(level) > LEVELS.indexOf(declared.get(name) ?? "none")) declared.set(name, level);
    }
  }
  return declared;
}
