// Builds, and publishes every package whose version the registry does not have. changesets tags them, and its action makes the releases of the tags.
import "./lib/node-version.mjs";
import { spawnSync } from "node:child_process";
import { ROOT, tool } from "./lib/root.mjs";
import { environment, tail } from "./lib/run.mjs";
import { usePnpm } from "./lib/setup.mjs";
import { say } from "./lib/steps.mjs";
import { turbo } from "./lib/turbo.mjs";

await usePnpm();
const { code, output } = await turbo(["generate", "build"], ["--filter=!@ckptkit/docs"]);
if (code !== 0) {
  say(tail(output, 60));
  process.exit(1);
}
const [node, changeset] = tool("@changesets/cli", "changeset");
// On the screen as it goes: the action reads from it what was published.
process.exitCode = spawnSync(node, [changeset, "publish"], { cwd: ROOT, env: environment(), stdio: "inherit" }).status ?? 1;
