// turbo, without telemetry and notices, and with what it reports about each task.
import { existsSync, rmSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";
import { readJson, tool } from "./root.mjs";
import { environment, run } from "./run.mjs";

/**
 * Runs turbo tasks. Resolves to `{ code, output, tasks }` with one `{ package, task, failed, cached }` a task that ran.
 */
export async function turbo(tasks, flags = [], options = {}) {
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
  return { code, output: text.replace(/^.*(Summary:|JSON report written to).*\n?/gm, ""), tasks: readSummary(text) };
}

/** Reads the summary that turbo names in its output, as runs go side by side, and removes it. */
function readSummary(output) {
  const file = /Summary:\s+(\S.*\.json)/.exec(stripVTControlCharacters(output))?.[1]?.trim();
  if (file === undefined || !existsSync(file)) return [];
  const { tasks } = readJson(file);
  rmSync(file);
  return tasks.map((entry) => ({
    package: entry.package,
    task: entry.task,
    failed: (entry.execution?.exitCode ?? 0) !== 0,
    ran: entry.execution !== undefined && entry.execution !== null,
    cached: entry.cache?.status === "HIT",
  }));
}
