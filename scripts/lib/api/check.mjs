// The API reports in `etc/api`, held against what the packages export now.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { inRoot } from "../root.mjs";
import { apiReports } from "./report.mjs";

const FOLDER = "etc/api";
const SHOWN = 12;

/** Writes the reports anew; returns the files that changed. */
export function writeReports() {
  const reports = apiReports();
  const changed = reports.filter(({ file, text }) => saved(file) !== text);
  for (const { file, text } of changed) {
    mkdirSync(dirname(inRoot(file)), { recursive: true });
    writeFileSync(inRoot(file), text);
  }
  const left = strays(reports);
  for (const file of left) rmSync(inRoot(file));
  return [...changed.map(({ file }) => file), ...left];
}

/** What differs from the reports, as lines; empty when they are current. */
export function outdatedReports() {
  const reports = apiReports();
  const problems = reports.flatMap(({ file, text }) => {
    const before = saved(file);
    return before === text ? [] : [`${file}:`, ...difference(before ?? "", text)];
  });
  problems.push(...strays(reports).map((file) => `${file}: no entry of a package is reported there`));
  if (problems.length > 0)
    problems.push("", "The API has changed. `pnpm api` writes the reports anew: look at their diff, and commit it with the change.");
  return problems;
}

const saved = (file) => (existsSync(inRoot(file)) ? readFileSync(inRoot(file), "utf8") : undefined);

function strays(reports) {
  const known = new Set(reports.map(({ file }) => file));
  if (!existsSync(inRoot(FOLDER))) return [];
  return readdirSync(inRoot(FOLDER), { recursive: true })
    .map((name) => `${FOLDER}/${String(name).replaceAll("\\", "/")}`)
    .filter((file) => file.endsWith(".md") && !known.has(file));
}

/** The lines of either side that the other lacks; enough to see what it is about. */
function difference(before, after) {
  const lines = (text) => text.split("\n").filter((line) => line.trim() !== "");
  const [old, now] = [new Set(lines(before)), new Set(lines(after))];
  const changes = [
    ...[...old].filter((line) => !now.has(line)).map((line) => `  - ${line.trim()}`),
    ...[...now].filter((line) => !old.has(line)).map((line) => `  + ${line.trim()}`),
  ];
  return changes.length > SHOWN ? [...changes.slice(0, SHOWN), `  ... and ${changes.length - SHOWN} more lines`] : changes;
}
