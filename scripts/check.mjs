// `pnpm check`: all that `npm test` checks, on a checkout that is set up. Results of tests whose inputs have not changed
// come from turbo's cache, and nothing is installed.
import "./lib/node-version.mjs";
import { findChromium } from "./lib/chromium.mjs";
import { findOracle } from "./lib/oracle.mjs";
import { findS3 } from "./lib/s3.mjs";
import { newLog, usePnpm } from "./lib/setup.mjs";
import { StepFailed, say } from "./lib/steps.mjs";

try {
  newLog();
  await usePnpm();
  const { verify } = await import("./lib/verify.mjs");
  process.exitCode = await verify({ chromium: findChromium, oracle: findOracle, s3: findS3, fresh: false });
} catch (error) {
  if (!(error instanceof StepFailed)) throw error;
  say(error.message);
  process.exitCode = 1;
}
