// A release as the release workflow makes one, into the local registry: `changeset version`, `changeset publish`, tags; in a scratch copy.
import { cpSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { publishable } from "../packages.mjs";
import { copyForRelease, GIT } from "../release.mjs";
import { inRoot, readJson, tool } from "../root.mjs";
import { run, tail } from "../run.mjs";
import { StepFailed } from "../steps.mjs";

/** changesets tag by git itself, which wants to know who does. */
const TAGGER = { GIT_COMMITTER_NAME: "rehearsal", GIT_COMMITTER_EMAIL: "rehearsal@localhost" };

/** Publishes every package from a copy in `scratch`; resolves to the version that they got. */
export async function publishAll(scratch, environment) {
  copyForRelease(scratch);
  for (const { folder, manifest } of publishable()) {
    for (const file of ["README.md", ...manifest.files]) {
      const from = inRoot(folder, file);
      if (existsSync(from)) cpSync(from, join(scratch, folder, file), { recursive: true });
      else throw new StepFailed(`${folder}/${file} is to be published and is not there. \`pnpm build\` makes it.`);
    }
  }
  cpSync(inRoot("LICENSE"), join(scratch, "LICENSE"));
  linkWorkspace(scratch);
  writeFileSync(join(scratch, ".gitignore"), "node_modules\n");
  const changeset = tool("@changesets/cli", "changeset");
  const commands = [
    [...GIT, "init", "--quiet", "--initial-branch=main"],
    [...GIT, "add", "--all"],
    [...GIT, "commit", "--quiet", "--message", "before"],
    [...changeset, "version"],
    [...GIT, "commit", "--quiet", "--all", "--message", "version"],
    [...changeset, "publish"],
  ];
  for (const command of commands) {
    const { code, output } = await run(command, { cwd: scratch, limitMs: 180_000, env: { ...environment, ...TAGGER } });
    if (code !== 0)
      throw new StepFailed(`The release could not be published to the local registry: ${command.slice(-2).join(" ")}\n\n${tail(output)}`);
  }
  const { output: tags } = await run(["git", "tag"], { cwd: scratch, limitMs: 20_000 });
  const versions = publishable().map(({ name, folder }) => `${name}@${readJson(join(scratch, folder, "package.json")).version}`);
  const missing = versions.filter((tag) => !tags.split("\n").includes(tag));
  if (missing.length > 0) throw new StepFailed(`\`changeset publish\` did not publish and tag ${missing.join(", ")}`);
  return versions[0].split("@").at(-1);
}

/** pnpm reads the versions that it writes for `workspace:` ranges where they are installed. */
function linkWorkspace(scratch) {
  const folders = new Map(publishable().map(({ name, folder }) => [name, folder]));
  for (const { folder, manifest } of publishable()) {
    for (const dependency of Object.keys(manifest.dependencies ?? {}).filter((name) => folders.has(name))) {
      const link = join(scratch, folder, "node_modules", dependency);
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(join(scratch, folders.get(dependency)), link, "junction");
    }
  }
}
