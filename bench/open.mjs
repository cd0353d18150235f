// Opens one checkpoint by turns with ckptkit and with torch.load, in one run, and prints medians and their ratio.
//   node bench/open.mjs FILE [PYTHON]
// Without a FILE, torch writes one of 1 GB (64 float32 tensors) into a temporary folder.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const ROUNDS = 7;
const root = fileURLToPath(new URL("..", import.meta.url));
const python = process.argv[3] ?? process.env.CKPTKIT_ORACLE ?? join(root, ".cache/oracle/bin/python");
if (!existsSync(python)) throw new Error("No Python with torch: run node scripts/setup-oracle.mjs first.");

const folder = mkdtempSync(join(tmpdir(), "ckptkit-bench-"));
try {
  const file = process.argv[2] ?? join(folder, "one-gigabyte.pt");
  if (!existsSync(file)) {
    execFileSync(python, [
      "-c",
      `import torch; torch.save({f"layer.{i}.weight": torch.randn(2**22) for i in range(64)}, ${JSON.stringify(file)})`,
    ]);
  }
  const program = join(folder, "open.mjs");
  await build({
    stdin: { contents: 'export { openCheckpoint } from "@ckptkit/node"', resolveDir: fileURLToPath(new URL(".", import.meta.url)) },
    outfile: program,
    bundle: true,
    format: "esm",
    platform: "node",
  });
  const { openCheckpoint } = await import(program);
  const ours = [];
  const theirs = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    const checkpoint = await openCheckpoint(file);
    ours.push(performance.now() - start);
    await checkpoint.close();
    const timed = spawnSync(python, [
      "-c",
      `import time, torch\nstart = time.perf_counter()\ntorch.load(${JSON.stringify(file)}, weights_only=True)\nprint(1000 * (time.perf_counter() - start))`,
    ]);
    theirs.push(Number(timed.stdout));
  }
  const median = (times) => times.sort((a, b) => a - b)[Math.floor(times.length / 2)];
  const range = (times) => `${times[0].toFixed(1)} to ${times.at(-1).toFixed(1)}`;
  const [a, b] = [median(ours), median(theirs)];
  process.stdout.write(
    `ckptkit     ${a.toFixed(1)} ms (${range(ours)})\ntorch.load  ${b.toFixed(1)} ms (${range(theirs)})\nratio       ${(b / a).toFixed(0)} times\n`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
