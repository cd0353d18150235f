// Reads pickles by turns with ckptkit and its peers: a checkpoint's data.pkl of 16 MB (50,000 tensors, 200,000 small maps) beside
// torch.load(weights_only=True), and plain data of 16 MB beside the pickle parsers of npm and Python's own, which is written in C.
// All answers are compared first. Python makes the data (pickle-data.py).
//   node bench/pickle.mjs [--python=PATH] [--rounds=7] [--json=FILE] [--save]
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { isDeepStrictEqual, parseArgs } from "node:util";
import { build } from "esbuild";
import jpickle from "jpickle";
import { Parser } from "pickleparser";
import { save, spread } from "./lib/history.mjs";
import { oracle } from "./lib/python.mjs";

const { values: given } = parseArgs({
  options: {
    python: { type: "string" },
    rounds: { type: "string", default: "7" },
    json: { type: "string" },
    save: { type: "boolean", default: false },
  },
});
// jpickle uses `new Buffer`, of which Node warns.
process.noDeprecation = true;
const here = fileURLToPath(new URL(".", import.meta.url));
const python = oracle(given.python);
const folder = mkdtempSync(join(tmpdir(), "ckptkit-bench-"));

/** A value of ours as plain objects and arrays, the form in which the others give theirs. */
function plain(value) {
  if (value === null || typeof value !== "object") return value;
  if (value.kind === "dict") {
    const members = {};
    for (let at = 0; at < value.keysAndValues.length; at += 2) members[value.keysAndValues[at]] = plain(value.keysAndValues[at + 1]);
    return members;
  }
  if (value.kind === "list" || value.kind === "tuple") return value.items.map(plain);
  if (value.kind === "real") return value.value;
  throw new Error(`Plain data has no ${value.kind}.`);
}

/** What a tensor's call says: shape, strides, offset. */
const tensorOf = ([name, { args }]) => [name, plain(args[2]), plain(args[3]), args[1]];

/** Milliseconds of every tool, by turns; one round to warm up does not count. */
async function byTurns(tools) {
  const times = Object.fromEntries(Object.keys(tools).map((tool) => [tool, []]));
  for (let round = -1; round < Number(given.rounds); round++) {
    for (const [tool, run] of Object.entries(tools)) {
      const start = performance.now();
      const told = await run();
      const taken = typeof told === "number" ? told : performance.now() - start;
      if (round >= 0) times[tool].push(taken);
    }
  }
  return times;
}

/** Stops where two answers differ: a fast wrong one is worth nothing. */
function expectEqual(tool, found, expected) {
  if (!isDeepStrictEqual(found, expected)) throw new Error(`${tool} gives another answer than Python.`);
}

/** Prints the times, and how many times longer each peer takes than each tool of ours: medians and ranges of the ratios of the rounds. */
function report(work, times, bytes) {
  process.stdout.write(`\n${work}, ${(bytes / 1e6).toFixed(1)} MB\n`);
  for (const [tool, list] of Object.entries(times)) process.stdout.write(`  ${tool.padEnd(56)}${ranged(list, 1)} ms\n`);
  const isOurs = (tool) => tool.startsWith("ckptkit");
  const rows = [];
  for (const ours of Object.keys(times).filter(isOurs)) {
    for (const peer of Object.keys(times).filter((tool) => !isOurs(tool))) {
      const ratios = times[peer].map((ms, round) => ms / times[ours][round]);
      process.stdout.write(`  ${`${peer} / ${ours}`.padEnd(56)}${ranged(ratios, 2)}\n`);
      const { median, least, most } = spread(ratios);
      const [oursMs, peerMs] = [ours, peer].map((tool) => spread(times[tool]).median);
      rows.push({
        work,
        ours: { tool: ours, time: oursMs },
        peer: { tool: peer, time: peerMs },
        unit: "ms",
        ratio: median,
        least,
        most,
        runs: ratios.length,
      });
    }
  }
  return rows;
}

function ranged(numbers, digits) {
  const { median, least, most } = spread(numbers);
  return `${median.toFixed(digits).padStart(8)} (${least.toFixed(digits)} to ${most.toFixed(digits)})`;
}

try {
  execFileSync(python, [join(here, "pickle-data.py"), "make", folder]);
  const outfile = join(folder, "program.mjs");
  const contents = 'export { entriesOf, readPickle } from "@ckptkit/pickle"; export { openCheckpoint } from "@ckptkit/node"';
  await build({ stdin: { contents, resolveDir: here }, outfile, bundle: true, format: "esm", platform: "node" });
  const { entriesOf, readPickle, openCheckpoint } = await import(pathToFileURL(outfile).href);
  const checkpoint = join(folder, "checkpoint.pt");
  const pickle = new Uint8Array(readFileSync(join(folder, "data.pkl")));
  const plainPickle = new Uint8Array(readFileSync(join(folder, "plain.pkl")));
  const timedByPython = (command, path) => Number(execFileSync(python, [join(here, "pickle-data.py"), command, path]).toString());

  const npm = {
    pickleparser: () => new Parser().parse(plainPickle),
    jpickle: () => jpickle.loads(Buffer.from(plainPickle).toString("latin1")),
  };
  // In a function of its own: what only the comparison needs is gone from memory when the clock starts.
  const compare = async () => {
    const [, stateDict, , maps] = readPickle(pickle).value.keysAndValues;
    const truth = JSON.parse(readFileSync(join(folder, "checkpoint.json"), "utf8"));
    expectEqual("readPickle", { tensors: entriesOf(stateDict.keysAndValues).map(tensorOf), maps: plain(maps) }, truth);
    const opened = await openCheckpoint(checkpoint);
    const seen = opened.tensors.map(({ name, shape, strides, spec }) => [name, shape, strides, spec.byteOffset / 4]);
    expectEqual("openCheckpoint", seen, truth.tensors);
    await opened.close();
    const plainTruth = JSON.parse(readFileSync(join(folder, "plain.json"), "utf8"));
    expectEqual("readPickle", plain(readPickle(plainPickle).value), plainTruth);
    for (const [tool, run] of Object.entries(npm)) expectEqual(tool, JSON.parse(JSON.stringify(run())), plainTruth);
  };
  await compare();
  process.stdout.write("All give the same answers.\n");

  const ofCheckpoint = await byTurns({
    "ckptkit: data.pkl": () => void readPickle(pickle),
    "ckptkit: open the file": async () => void (await (await openCheckpoint(checkpoint)).close()),
    "torch.load(weights_only=True)": () => timedByPython("torch", checkpoint),
  });
  const ofPlain = await byTurns({
    ckptkit: () => void readPickle(plainPickle),
    pickleparser: () => void npm.pickleparser(),
    jpickle: () => void npm.jpickle(),
    "pickle.load of Python in C": () => timedByPython("plain", join(folder, "plain.pkl")),
  });
  const rows = [
    ...report("50,000 tensors and 200,000 maps", ofCheckpoint, pickle.length),
    ...report("plain data", ofPlain, plainPickle.length),
  ];
  if (given.json) writeFileSync(given.json, `${JSON.stringify(rows, null, 2)}\n`);
  if (given.save) {
    save("pickle", ofCheckpoint, statSync(checkpoint).size);
    save("pickle-plain", ofPlain, plainPickle.length);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
