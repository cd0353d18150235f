// Runs ckptkit beside its peers, by turns in one run: answers are compared first, then medians and ranges of the ratios are printed, and added to the
// history in bench/results, from which the site draws its charts.
//   pnpm bench [--only NAME]... [--quick] [--rounds N] [--json FILE] [--python PATH] [--folder PATH] [--no-save] [--list]
// --only takes the name of a work or the beginning of one, as often as one likes. --quick has smaller files and fewer rounds, and is not added to the history.
// It needs 14 GB of disk for its files (--folder says where; 5 GB with --quick) and as much memory for the page cache. Benches in a browser: browser-scan.mjs,
// playground.mjs.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { save } from "./lib/history.mjs";
import { buildPrograms } from "./lib/programs.mjs";
import { oracle, startPython } from "./lib/python.mjs";
import { report } from "./lib/report.mjs";
import { Absent, byTurns } from "./lib/turns.mjs";
import { works as casts } from "./works/casts.mjs";
import { works as checksums } from "./works/checksums.mjs";
import { works as converting } from "./works/converting.mjs";
import { works as manyHashes } from "./works/many-hashes.mjs";
import { works as memoryScans } from "./works/memory-scans.mjs";
import { works as opening } from "./works/opening.mjs";
import { works as pickles } from "./works/pickles.mjs";
import { works as reading } from "./works/reading.mjs";

const { values: given } = parseArgs({
  options: {
    only: { type: "string", multiple: true },
    quick: { type: "boolean", default: false },
    rounds: { type: "string" },
    json: { type: "string" },
    python: { type: "string" },
    folder: { type: "string" },
    "no-save": { type: "boolean", default: false },
    list: { type: "boolean", default: false },
  },
});
const PICKLE = { name: "pickle", task: "Read pickles: bench/pickle.mjs" };
const all = [...memoryScans, ...checksums, ...manyHashes, ...casts, ...opening, ...reading, ...converting, ...pickles, PICKLE];
const isExact = (only) => all.some(({ name }) => name === only);
const chosen = all.filter(({ name }) => !given.only || given.only.some((only) => (isExact(only) ? name === only : name.startsWith(only))));
const print = (text) => process.stdout.write(`${text}\n`);

/** The parsers' bench has a process of its own: it takes its peers' answers apart. */
function runPickleBench(kit, rounds) {
  const json = join(kit.folder, "pickle.json");
  const path = fileURLToPath(new URL("pickle.mjs", import.meta.url));
  const args = [
    path,
    `--rounds=${rounds}`,
    `--json=${json}`,
    ...(given.python ? [`--python=${given.python}`] : []),
    ...(kit.saves ? ["--save"] : []),
  ];
  const { status } = spawnSync(process.execPath, args, { stdio: "inherit" });
  return status === 0
    ? JSON.parse(readFileSync(json, "utf8"))
    : [{ work: "pickle", absent: "the bench of pickles failed; it says why above" }];
}

async function runWork(work, kit) {
  const prepared = await work.prepare(kit);
  try {
    const tools = Object.entries(prepared.tools);
    const absent = Object.fromEntries(tools.filter(([, tool]) => tool instanceof Absent));
    const present = Object.fromEntries(tools.filter(([, tool]) => !(tool instanceof Absent)));
    const times = await byTurns(present, { rounds: kit.rounds, same: prepared.same });
    const task = typeof work.task === "function" ? work.task(kit) : work.task;
    const rows = report({ ...work, task }, times, { bytes: prepared.bytes, absent, notes: prepared.notes?.() ?? [] });
    if (kit.saves) save(work.name, times, prepared.bytes ?? prepared.size ?? 0);
    return rows;
  } finally {
    await prepared.close?.();
  }
}

if (given.list || chosen.length === 0) {
  for (const { name, task } of all) print(`${name.padEnd(20)}${typeof task === "function" ? task({ quick: given.quick }) : task}`);
  process.exit(given.list ? 0 : 2);
}

const folder = mkdtempSync(join(given.folder ?? tmpdir(), "ckptkit-bench-"));
let python;
/** What works need. Python is started when the first of them wants it. */
const kit = {
  folder,
  quick: given.quick,
  rounds: Number(given.rounds ?? (given.quick ? 3 : 7)),
  saves: !given.quick && !given["no-save"],
  async pythonPath() {
    try {
      return oracle(given.python);
    } catch (error) {
      return new Absent(error.message);
    }
  },
  async python() {
    const path = await kit.pythonPath();
    if (path instanceof Absent) return path;
    python ??= startPython(path);
    return python;
  },
};
try {
  Object.assign(kit, await buildPrograms(folder));
  print(
    `${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.versions.node}, load ${loadavg()[0].toFixed(1)}, ${kit.rounds} rounds`,
  );
  const rows = [];
  for (const work of chosen) {
    try {
      rows.push(...(work === PICKLE ? runPickleBench(kit, kit.rounds) : await runWork(work, kit)));
    } catch (error) {
      process.exitCode = 1;
      print(`\n${work.name}: failed: ${error.stack}`);
      rows.push({ work: work.name, error: error.message });
    }
    if (given.json) writeFileSync(given.json, `${JSON.stringify(rows, null, 2)}\n`);
  }
  const judged = rows.filter(({ met }) => met !== undefined);
  if (judged.length > 0)
    print(`\n${judged.filter(({ met }) => met).length} of ${judged.length} goals reached; load ${loadavg()[0].toFixed(1)}`);
} finally {
  python?.stop();
  rmSync(folder, { recursive: true, force: true });
}
