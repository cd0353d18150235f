// What `npm test` and `pnpm check` share: build, checks, tests, and the closing summary.

import { packedChecks, SOURCE_CHECKS } from "./checks.mjs";
import { CHROMIUM_HELP } from "./chromium.mjs";
import { ORACLE_HELP } from "./oracle.mjs";
import { countBrowserSuites, readReports, removeReports } from "./reports.mjs";
import { tail } from "./run.mjs";
import { S3_HELP } from "./s3.mjs";
import { say, step, timingTable } from "./steps.mjs";
import { turbo } from "./turbo.mjs";

/** How long all tests may take together. */
const TESTS_LIMIT_MS = 900_000;
const BUILD_LIMIT_MS = 300_000;
/** The site: its build takes as long as that of all packages, and its tests longer than those of any. */
const SITE = "@ckptkit/docs";

/**
 * Builds, checks and tests everything, and prints the summary as the last line. `needs` are functions that resolve to
 * `{ path }` or `{ reason }`; they run beside the build. With `fresh`, tests run again even when nothing has changed.
 * Resolves to the exit code.
 *
 * When the packages are built, three lanes go on side by side: checks, tests of the packages, and the site with its own tests.
 */
export async function verify({ chromium, oracle, s3, fresh }) {
  removeReports();
  const results = [];
  const skips = [];

  const obtaining = Promise.all([
    need("Chromium", chromium, "CKPTKIT_CHROMIUM", CHROMIUM_HELP, { results, skips, count: countBrowserSuites() }),
    need("Python oracle", oracle, "CKPTKIT_ORACLE", ORACLE_HELP, { results, skips, count: 0 }),
    need("S3 server (moto)", s3, "CKPTKIT_MOTO", S3_HELP, { results, skips, count: 0 }),
  ]);
  const builds = (name, flags) => check(results, { name, work: () => turbo(["generate", "build"], flags, { limitMs: BUILD_LIMIT_MS }) });
  const build = await builds("build", [`--filter=!${SITE}`, "--continue=dependencies-successful"]);

  const tests = [];
  const test = async (name, filter, atOnce) => {
    await obtaining;
    await step(name, async () => {
      // The build is there, or has failed and been counted. What a test needs of it, it will miss by itself.
      const flags = ["--only", `--filter=${filter}`, "--continue=always", `--concurrency=${atOnce}`, ...(fresh ? ["--force"] : [])];
      const done = await turbo(["test"], flags, { limitMs: TESTS_LIMIT_MS });
      tests.push(done);
      return { mark: done.code === 0 ? "ok" : "FAILED" };
    });
  };
  const checks = async () => {
    for (const entry of SOURCE_CHECKS) await check(results, entry);
    if (build.code === 0) for (const entry of packedChecks()) await check(results, entry);
  };
  const site = async () => {
    await builds("build of the site", [`--filter=${SITE}`, "--only"]);
    await test("tests of the site", SITE, 1);
  };
  await Promise.all([site(), test("tests of the packages", `!${SITE}`, 2), checks()]);
  return report(results, readReports(tests.flatMap(({ tasks }) => tasks)), skips, tests);
}

async function need(name, obtain, variable, help, { results, skips, count }) {
  let got;
  await step(name, async () => {
    got = await obtain();
    // An empty value says: looked for, and not there.
    process.env[variable] = got.path ?? "";
    return got.path ? `${got.path} (${got.how})` : { mark: got.failed ? "FAILED" : "absent", note: got.reason };
  });
  if (got.path) return;
  if (got.failed) results.push({ name, passed: false });
  skips.push({ what: name, reason: got.reason, help, count });
}

async function check(results, { name, work }) {
  const result = await step(name, async () => {
    const { code, output } = await work().catch((error) => ({ code: 1, output: error.stack }));
    return { code, output, mark: code === 0 ? "ok" : "FAILED" };
  });
  results.push({ name, passed: result.code === 0 });
  if (result.code !== 0) say(indent(tail(result.output, 120)));
  return result;
}

function report(checks, suites, skips, tests) {
  for (const { code, output } of tests) if (code !== 0) say(`\n${tail(output, 400)}`);
  say("\nTests by package                      passed  failed  skipped");
  for (const { name, passed, failed, skipped } of suites) {
    say(`  ${name.padEnd(34)} ${String(passed).padStart(7)} ${String(failed).padStart(7)} ${String(skipped).padStart(8)}`);
  }
  const checksPassed = checks.filter(({ passed }) => passed).length;
  say(
    `  ${"checks".padEnd(34)} ${String(checksPassed).padStart(7)} ${String(checks.length - checksPassed).padStart(7)} ${"0".padStart(8)}`,
  );
  say(`\n${timingTable()}`);

  const failures = [
    ...checks.filter(({ passed }) => !passed).map(({ name }) => name),
    ...suites.flatMap((suite) => suite.failures.map((text) => `${suite.name}: ${text}`)),
  ];
  if (failures.length > 0) say(`\nFailed:\n${indent(failures.join("\n"))}`);
  const skippedTests = suites.flatMap((suite) => suite.skips.map((text) => `${suite.name}: ${text}`));
  if (skippedTests.length > 0) say(`\nSkipped tests:\n${indent(skippedTests.join("\n"))}`);
  for (const { what, reason, help, count } of skips) {
    say(
      `\nSKIPPED for want of ${what}${count > 0 ? ` (${count} test files that also run there)` : ""}: ${reason}.\n  To have it: ${help}.`,
    );
  }

  const passed = checksPassed + sum(suites, "passed");
  const failed = checks.length - checksPassed + sum(suites, "failed");
  const skipped = sum(suites, "skipped") + sum(skips, "count");
  say(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
  return failed > 0 || passed === 0 ? 1 : 0;
}

const sum = (list, field) => list.reduce((total, entry) => total + entry[field], 0);
const indent = (text) => text.replace(/^/gm, "    ");
