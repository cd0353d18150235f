// What the benches share: one large checkpoint, ckptkit and torch by turns in one run, medians, and a line of history for each.
import { execFileSync, spawnSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const ROUNDS = 7;
const here = fileURLToPath(new URL(".", import.meta.url));

/**
 * Times `ours(program, file)` and a line of Python, by turns. `exports` is what `ours` needs of the packages; `line` is what Python does, after
 * `import torch` and with the file's path as `path`. Usage of every bench: `node bench/NAME.mjs [FILE] [PYTHON]`; without FILE, torch writes one of
 * 1 GB (64 float32 tensors). With `--save`, the results become lines of `bench/results/NAME.csv`.
 */
export async function sideBySide(name, { exports, ours, peer, line }) {
  const [given, pythonGiven] = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
  const python = oracle(pythonGiven);
  const folder = mkdtempSync(join(tmpdir(), "ckptkit-bench-"));
  try {
    const file = given ?? join(folder, "one-gigabyte.pt");
    const make = `import torch; torch.save({f"layer.{i}.weight": torch.randn(2**22) for i in range(64)}, ${JSON.stringify(file)})`;
    if (!existsSync(file)) execFileSync(python, ["-c", make]);
    const outfile = join(folder, "program.mjs");
    await build({ stdin: { contents: exports, resolveDir: here }, outfile, bundle: true, format: "esm", platform: "node" });
    const program = await import(outfile);
    const times = { ckptkit: [], [peer]: [] };
    for (let round = 0; round < ROUNDS; round++) {
      const start = performance.now();
      await ours(program, file);
      times.ckptkit.push(performance.now() - start);
      const script = `import time, torch\npath = ${JSON.stringify(file)}\nstart = time.perf_counter()\n${line}\nprint(1000 * (time.perf_counter() - start))`;
      times[peer].push(Number(spawnSync(python, ["-c", script]).stdout));
    }
    report(name, times, statSync(file).size);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The Python with torch: the one that was given, that `CKPTKIT_ORACLE` names, or that `node scripts/setup-oracle.mjs` made. */
export function oracle(given) {
  const python = given ?? process.env.CKPTKIT_ORACLE ?? join(here, "../.cache/oracle/bin/python");
  if (!existsSync(python)) throw new Error("No Python with torch: run node scripts/setup-oracle.mjs first.");
  return python;
}

/** Median and range of some numbers. */
export function spread(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return { median: sorted[Math.floor(sorted.length / 2)], least: sorted[0], most: sorted.at(-1) };
}

function report(name, times, bytes) {
  const rows = Object.entries(times).map(([tool, list]) => ({ tool, ...spread(list) }));
  const width = Math.max(...rows.map(({ tool }) => tool.length));
  for (const { tool, median, least, most } of rows) {
    process.stdout.write(`${tool.padEnd(width)}  ${median.toFixed(1)} ms (${least.toFixed(1)} to ${most.toFixed(1)})\n`);
  }
  process.stdout.write(`${"ratio".padEnd(width)}  ${(rows[1].median / rows[0].median).toFixed(1)}\n`);
  if (process.argv.includes("--save")) save(name, times, bytes);
}

/** Adds the times of every tool to the history of a bench. */
export function save(name, times, bytes) {
  const path = join(here, "results", `${name}.csv`);
  mkdirSync(join(here, "results"), { recursive: true });
  if (!existsSync(path)) writeFileSync(path, "date,tool,file_bytes,median_ms,least_ms,most_ms,cores,node\n");
  for (const [tool, list] of Object.entries(times)) {
    const day = new Date().toISOString().slice(0, 10);
    const { median, least, most } = spread(list);
    const numbers = [median, least, most].map((ms) => ms.toFixed(2));
    appendFileSync(path, `${[day, tool, bytes, ...numbers, cpus().length, process.versions.node].join(",")}\n`);
  }
}
