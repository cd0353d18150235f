// `pnpm build` and `pnpm generate`: turbo with the pinned pnpm and without telemetry, with its own output on the screen.
import "./lib/node-version.mjs";
import { spawnSync } from "node:child_process";
import { ROOT, tool } from "./lib/root.mjs";
import { environment } from "./lib/run.mjs";
import { usePnpm } from "./lib/setup.mjs";

await usePnpm();
const [node, turbo] = tool("turbo");
process.exitCode =
  spawnSync(node, [turbo, "run", ...process.argv.slice(2)], { cwd: ROOT, env: environment(), stdio: "inherit" }).status ?? 1;
