// `changeset version`, and what has to follow it: the lockfile.
import "./lib/node-version.mjs";
import { tool } from "./lib/root.mjs";
import { run } from "./lib/run.mjs";
import { usePnpm } from "./lib/setup.mjs";
import { say } from "./lib/steps.mjs";

await usePnpm();
for (const command of [
  [...tool("@changesets/cli", "changeset"), "version"],
  ["pnpm", "install", "--lockfile-only"],
]) {
  const { code, output } = await run(command, { shell: process.platform === "win32", limitMs: 300_000 });
  say(output.trimEnd());
  if (code !== 0) process.exit(code);
}
