// The history of the benches: a line for each tool and run in bench/results/NAME.csv, from which the site draws its charts.
import { appendFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const results = fileURLToPath(new URL("../results", import.meta.url));

/** Median and range of some numbers. */
export function spread(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return { median: sorted[Math.floor(sorted.length / 2)], least: sorted[0], most: sorted.at(-1) };
}

/** Adds the times of every tool, in milliseconds, to the history of a bench. */
export function save(name, times, bytes) {
  const path = join(results, `${name}.csv`);
  mkdirSync(results, { recursive: true });
  if (!existsSync(path)) writeFileSync(path, "date,tool,file_bytes,median_ms,least_ms,most_ms,cores,node\n");
  for (const [tool, list] of Object.entries(times)) {
    const day = new Date().toISOString().slice(0, 10);
    const { median, least, most } = spread(list);
    const numbers = [median, least, most].map((ms) => ms.toFixed(2));
    appendFileSync(path, `${[day, tool.replaceAll(",", ";"), bytes, ...numbers, cpus().length, process.versions.node].join(",")}\n`);
  }
}
