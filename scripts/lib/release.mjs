// Rehearses a release in a scratch copy: every publishable package gets the same next version, and the private ones none.
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { packages, publishable } from "./packages.mjs";
import { inRoot, readJson, tool } from "./root.mjs";
import { run } from "./run.mjs";

/** git with what a commit needs, whatever the machine's own settings are. */
export const GIT = ["git", "-c", "user.name=rehearsal", "-c", "user.email=rehearsal@localhost", "-c", "commit.gpgsign=false"];

/** Resolves to `{ code, output }`: `changeset status`, then `changeset version`, and what they did. */
export async function rehearseRelease() {
  const scratch = mkdtempSync(join(tmpdir(), "ckptkit-release-"));
  try {
    copyForRelease(scratch);
    const commands = [
      [...GIT, "init", "--quiet", "--initial-branch=main"],
      [...GIT, "add", "--all"],
      [...GIT, "commit", "--quiet", "--message", "before"],
      [...tool("@changesets/cli", "changeset"), "status"],
      [...tool("@changesets/cli", "changeset"), "version"],
    ];
    let output = "";
    for (const command of commands) {
      const result = await run(command, { cwd: scratch, limitMs: 60_000 });
      output += result.output;
      if (result.code !== 0) return { code: result.code, output };
    }
    const problems = checkVersions(scratch);
    return { code: problems.length > 0 ? 1 : 0, output: [output, ...problems].join("\n") };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Copies what changesets work on: the changesets, and the manifest of every package. */
export function copyForRelease(scratch) {
  const manifests = packages().map(({ folder }) => `${folder}/package.json`);
  for (const path of ["package.json", "pnpm-workspace.yaml", "pnpm-lock.yaml", ".changeset", ...manifests]) {
    mkdirSync(dirname(join(scratch, path)), { recursive: true });
    if (existsSync(inRoot(path))) cpSync(inRoot(path), join(scratch, path), { recursive: true });
  }
}

function checkVersions(scratch) {
  const after = (folder) => readJson(join(scratch, folder, "package.json")).version;
  const versions = new Map(publishable().map(({ name, folder }) => [name, after(folder)]));
  const problems = [];
  if (new Set(versions.values()).size !== 1) {
    problems.push(
      `One version names the whole, but they would be ${[...versions].map(([name, version]) => `${name} ${version}`).join(", ")}`,
    );
  }
  for (const { name, folder, manifest } of packages()) {
    if (manifest.private && after(folder) !== manifest.version) problems.push(`${name} is private and would get version ${after(folder)}`);
  }
  return problems;
}
