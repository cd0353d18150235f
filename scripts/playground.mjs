// `npm run playground`: from a fresh clone to the site on this machine, with the headers that a host would send. Ctrl-C stops it.
import "./lib/node-version.mjs";
import { existsSync } from "node:fs";
import { inRoot } from "./lib/root.mjs";
import { tail } from "./lib/run.mjs";
import { newLog, setUp, usePnpm } from "./lib/setup.mjs";
import { serveSite } from "./lib/site-server.mjs";
import { StepFailed, say, step } from "./lib/steps.mjs";
import { turbo } from "./lib/turbo.mjs";

async function build() {
  const { code, output } = await turbo(["build"], ["--filter=@ckptkit/docs"]);
  if (code !== 0) throw new StepFailed(`The site could not be built.\n\n${tail(output, 60)}`);
}

try {
  // What is installed already is taken as it is, so that a second start waits for nothing but what has changed.
  if (existsSync(inRoot("apps", "docs", "node_modules"))) {
    newLog();
    await step("pnpm", usePnpm);
  } else await setUp();
  await step("build the site", build);
  const { url } = await serveSite({ port: Number(process.env.PORT ?? 4173) });
  say(`\nThe playground is at ${url}playground.html and the documentation at ${url}\nCtrl-C stops it.`);
} catch (error) {
  if (!(error instanceof StepFailed)) throw error;
  say(`\n${error.message}`);
  process.exitCode = 1;
}
