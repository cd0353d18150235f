// turbo, without telemetry and notices, and with what it reports about each task.
import { existsSync, readdirSync, rmSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";
import { inRoot, readJson, tool } from "./root.mjs";
import { environment, run } from "./run.mjs";

const RUNS = inRoot(".turbo", "runs");

/**
 * Runs turbo tasks. Resolves to `{ code, output, tasks }` with one `{ package, task, failed, cached }` a task that ran.
 */
export async function turbo(tasks, flags = [], options = {}) {
  rmSync(RUNS, { recursive: true, force: true });
  const command = [
    ...tool("turbo"),
    "run",
    ...tasks,
    "--summarize",
    "--output-logs=errors-only",
    "--no-color",
    "--log-order=grouped",
    ...flags,
  ];
  const { code, output } = await run(command, { env: environment(options.env), limitMs: options.limitMs });
  const text = process.stdout.isTTY ? output : stripVTControlCharacters(output);
  return { code, output: text.replace(/^.*(Summary:|JSON report written to).*\n?/gm, ""), tasks: readSummary() };
}

function readSummary() {
  const file = existsSync(RUNS) ? readdirSync(RUNS).find((name) => name.endsWith(".json")) : undefined;
  if (!file) return [];
  return readJson(inRoot(".turbo", "runs", file)).tasks.map((entry) => ({
    package: entry.package,
    task: entry.task,
    failed: (entry.execution?.exitCode ?? 0) !== 0,
    ran: entry.execution !== undefined && entry.execution !== null,
    cached: entry.cache?.status === "HIT",
  }));
}
