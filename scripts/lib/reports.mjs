// Sums the reports that vitest and Playwright leave behind: one file of each a package.
import { existsSync, readdirSync, rmSync } from "node:fs";
import { relative } from "node:path";
import { tested } from "./packages.mjs";
import { inRoot, ROOT, readJson } from "./root.mjs";

const reportOf = (folder, tool = "vitest") => inRoot(folder, "test-results", `${tool}.json`);

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
      addPageTests(sum, fail, folder);
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

/** Tests of built pages. Without a Chromium (an empty CKPTKIT_CHROMIUM) they do not run, and the summary counts their files as skipped. */
function addPageTests(sum, fail, folder) {
  if (pageSuites(folder).length === 0 || process.env.CKPTKIT_CHROMIUM === "") return;
  const path = reportOf(folder, "playwright");
  if (!existsSync(path)) return fail("no report of its tests of pages: they did not run, or did not come to their end");
  const { suites, errors } = readJson(path);
  for (const { message } of errors) fail(message.split("\n")[0]);
  for (const suite of suites) addPageSuite(sum, fail, suite, folder);
}

function addPageSuite(sum, fail, suite, folder) {
  for (const inner of suite.suites ?? []) addPageSuite(sum, fail, inner, folder);
  for (const spec of suite.specs) {
    for (const { status, projectName } of spec.tests) {
      const what = `${folder}/e2e/${spec.file}: ${spec.title} (${projectName})`;
      if (status === "expected") sum.passed++;
      else if (status === "skipped") {
        sum.skipped++;
        sum.skips.push(what);
      } else fail(status === "flaky" ? `${what} passes only sometimes` : what);
    }
  }
}

/** The test files of built pages. */
const pageSuites = (folder) =>
  existsSync(inRoot(folder, "e2e"))
    ? readdirSync(inRoot(folder, "e2e"), { recursive: true }).filter((name) => String(name).endsWith(".e2e.ts"))
    : [];

const hasTests = (folder) =>
  existsSync(inRoot(folder, "test")) &&
  readdirSync(inRoot(folder, "test"), { recursive: true }).some((name) => String(name).endsWith(".test.ts"));

/** The number of test files that run in Chromium: beside Node, or there alone. */
export const countBrowserSuites = () => countEverywhereSuites() + tested().flatMap(({ folder }) => pageSuites(folder)).length;

const countEverywhereSuites = () =>
  tested()
    .filter(({ folder }) => existsSync(inRoot(folder, "test")))
    .flatMap(({ folder }) => readdirSync(inRoot(folder, "test"), { recursive: true }))
    .filter((name) => /\.(?:everywhere|browser)\.test\.ts$/.test(String(name))).length;
