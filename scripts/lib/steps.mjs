// One short line a step, with its time, and a table of all steps at the end.
const started = Date.now();
const table = [];

export const say = (text = "") => process.stdout.write(`${text}\n`);
const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;

/** Ends a script with a message of why; the exit code is 1. */
export class StepFailed extends Error {}

/**
 * Runs one step and prints its line when it has ended.
 * `work` may return a short note on how it ended; it throws StepFailed when nothing can go on without it.
 */
export async function step(name, work) {
  const begun = Date.now();
  let mark = "ok";
  let note = "";
  try {
    const result = await work();
    if (result?.mark) mark = result.mark;
    note = (typeof result === "string" ? result : result?.note) ?? "";
    return result;
  } catch (error) {
    mark = "FAILED";
    throw error;
  } finally {
    const ms = Date.now() - begun;
    table.push({ name, ms, mark });
    say(`  ${mark.padEnd(6)}  ${name.padEnd(34)} ${seconds(ms).padStart(8)}${note ? `   ${note}` : ""}`);
  }
}

/** The steps that took longest, and the whole. Steps run side by side, so their sum is more than the whole. */
export function timingTable(rows = 12) {
  const slowest = [...table].sort((a, b) => b.ms - a.ms).slice(0, rows);
  const lines = slowest.map(({ name, ms, mark }) => `  ${seconds(ms).padStart(8)}  ${name}${mark === "ok" ? "" : ` (${mark})`}`);
  return ["Time by step (steps run side by side)", ...lines, `  ${seconds(Date.now() - started).padStart(8)}  in all`].join("\n");
}
