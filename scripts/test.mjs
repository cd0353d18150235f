// `npm test`: from a fresh clone to `N passed, N failed`. It sets up, finds or installs Chromium, the Python oracle and an S3 server,
// builds, checks, and runs every test anew.
import "./lib/node-version.mjs";
import { obtainChromium } from "./lib/chromium.mjs";
import { obtainOracle } from "./lib/oracle.mjs";
import { obtainS3 } from "./lib/s3.mjs";
import { setUp } from "./lib/setup.mjs";
import { StepFailed, say } from "./lib/steps.mjs";

try {
  await setUp();
  const { verify } = await import("./lib/verify.mjs");
  process.exitCode = await verify({ chromium: obtainChromium, oracle: obtainOracle, s3: obtainS3, fresh: true });
} catch (error) {
  say(`\n${error instanceof StepFailed ? error.message : error.stack}\n`);
  say("0 passed, 1 failed");
  process.exitCode = 1;
}
