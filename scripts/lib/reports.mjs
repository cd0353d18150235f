// Sums the reports that vitest leaves behind: one file a package.
import { existsSync, readdirSync, rmSync } from "node:fs";
import { relative } from "node:path";
import { tested } from "./packages.mjs";
import { inRoot, ROOT, readJson } from "./root.mjs";

const reportOf = (folder) => inRoot(folder, "test-results", "vitest.json");

/** Removes the reports of the last run, so that none of them can be counted in this one. */
export function removeReports() {
  for (const { folder } of tested()) rmSync(inRoot(folder, "test-results"), { recursive: true, force: true });
}

/**
 * One `{ name, passed, failed, skipped, failures, skips }` a package. `turboTasks` says which test runs ended badly: a package whose
 * tests failed without a failed test in its report (a worker that died, a report that is missing) counts as one failure.
 */
export function readReports(turboTasks) {
  return tested().map(({ name, folder }) => {
    const sum = { name, passed: 0, failed: 0, skipped: 0, failures: [], skips: [] };
    const task = turboTasks.find((entry) => entry.package === name && entry.task === "test");
    const fail = (what) => {
      sum.failed++;
      sum.failures.push(what);
    };
    const path = reportOf(folder);
    if (!hasTests(folder)) fail("has a test script and no test");
    else if (!existsSync(path)) fail("no report: its tests did not run, or did not come to their end");
    else {
      addReport(sum, fail, readJson(path));
      if (sum.failed === 0 && task?.failed) fail("vitest failed outside of a test (an unhandled error, or a worker that died)");
      if (sum.passed + sum.failed + sum.skipped === 0) fail("the report holds no test");
    }
    return sum;
  });
}

function addReport(sum, fail, report) {
  for (const file of report.testResults) {
    const where = relative(ROOT, file.name);
    let failedHere = 0;
    for (const test of file.assertionResults) {
      if (test.status === "passed") sum.passed++;
      else if (test.status === "skipped" || test.status === "todo" || test.status === "disabled") {
        sum.skipped++;
        sum.skips.push(`${where}: ${test.fullName.trim()}`);
      } else {
        failedHere++;
        fail(`${where}: ${test.fullName.trim()}${test.status === "failed" ? "" : ` (${test.status})`}`);
      }
    }
    // A file that cannot be loaded, or whose hook throws, fails without a failed test.
    if (file.status === "failed" && failedHere === 0) fail(`${where}: ${file.message.split("\n")[0] || "failed to load"}`);
  }
}

const hasTests = (folder) =>
  existsSync(inRoot(folder, "test")) &&
  readdirSync(inRoot(folder, "test"), { recursive: true }).some((name) => String(name).endsWith(".test.ts"));

/** The number of test files that run in Chromium as well as in Node. */
export const countBrowserSuites = () =>
  tested()
    .filter(({ folder }) => existsSync(inRoot(folder, "test")))
    .flatMap(({ folder }) => readdirSync(inRoot(folder, "test"), { recursive: true }))
    .filter((name) => String(name).endsWith(".everywhere.test.ts")).length;
