// `pnpm pull-request [BASE]`: what a change owes its users. A package whose sources changed since BASE (origin/main) has a changeset, and the
// changesets call a change of the API what it is.
import "./lib/node-version.mjs";
import { understated } from "./lib/api/semver.mjs";
import { tool } from "./lib/root.mjs";
import { run } from "./lib/run.mjs";
import { say } from "./lib/steps.mjs";

const base = process.argv[2] ?? "origin/main";
const status = await run([...tool("@changesets/cli", "changeset"), "status", `--since=${base}`], { limitMs: 120_000 });
const problems = status.code === 0 ? [] : [status.output.trim(), "", "`pnpm changeset` asks what changed for users, and writes it down."];
problems.push(...(await understated(base)));
say(
  problems.length > 0
    ? problems.join("\n")
    : `Since ${base}, every changed package has its changeset, and the API reports agree with them.`,
);
process.exitCode = problems.length > 0 ? 1 : 0;
