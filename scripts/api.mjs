// `pnpm api`: builds, and writes down in `etc/api` what each entry of the packages exports. `--check` only compares, with what is built.
import "./lib/node-version.mjs";
import { outdatedReports, writeReports } from "./lib/api/check.mjs";
import { tail } from "./lib/run.mjs";
import { usePnpm } from "./lib/setup.mjs";
import { StepFailed, say } from "./lib/steps.mjs";
import { turbo } from "./lib/turbo.mjs";

try {
  if (process.argv.includes("--check")) {
    const problems = outdatedReports();
    if (problems.length > 0) throw new StepFailed(problems.join("\n"));
    say("The API reports are current.");
  } else {
    await usePnpm();
    const { code, output } = await turbo(["generate", "build"], ["--filter=!@ckptkit/docs"]);
    if (code !== 0) throw new StepFailed(`The build failed.\n\n${tail(output, 60)}`);
    const changed = writeReports();
    say(changed.length > 0 ? changed.map((file) => `changed  ${file}`).join("\n") : "The API reports are current.");
  }
} catch (error) {
  if (!(error instanceof StepFailed)) throw error;
  say(error.message);
  process.exitCode = 1;
}
