// `npm test`: from a fresh clone to `N passed, N failed`. It sets up, finds or installs Chromium and the Python oracle,
// builds, checks, and runs every test anew.
import "./lib/node-version.mjs";
import { obtainChromium } from "./lib/chromium.mjs";
import { obtainOracle } from "./lib/oracle.mjs";
import { setUp } from "./lib/setup.mjs";
import { StepFailed, say } from "./lib/steps.mjs";

try {
  await setUp();
  const { verify } = await import("./lib/verify.mjs");
  process.exitCode = await verify({ chromium: obtainChromium, oracle: obtainOracle, fresh: true });
} catch (error) {
  say(`\n${error instanceof StepFailed ? error.message : error.stack}\n`);
  say("0 passed, 1 failed");
  process.exitCode = 1;
}
