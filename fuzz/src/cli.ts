import { createHash } from "node:crypto";
import { parseArgs } from "node:util";
import { keepRegression } from "./regressions.js";
import { type Outcome, Supervisor } from "./supervise.js";
import { TARGET_NAMES } from "./target-names.js";

const { values } = parseArgs({
  options: {
    target: { type: "string", multiple: true },
    seconds: { type: "string", default: "60" },
    executions: { type: "string" },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
    list: { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
  },
});
/** Columns of what is printed, after the target's name. */
const WIDTHS = [12, 8, 22, 8, 10, 10];
const print = (line: string): void => void process.stdout.write(`${line}\n`);

if (values.list) print(JSON.stringify(TARGET_NAMES));
else await run(values.target ?? TARGET_NAMES);

async function run(targets: readonly string[]): Promise<void> {
  print(`seed ${values.seed}`);
  const heads = ["executions", "/s", "branches (of seeds)", "kept", "outcomes", "findings"];
  print("target".padEnd(22) + heads.map((head, index) => head.padStart(WIDTHS[index] ?? 0)).join(""));
  const supervisor = await Supervisor.start();
  const budget = {
    seed: Number(values.seed),
    seconds: Number(values.seconds),
    ...(values.executions ? { executions: Number(values.executions) } : {}),
  };
  for (const target of targets) {
    const replayed = await supervisor.run({ kind: "replay", target });
    report(target, replayed);
    report(target, await supervisor.run({ kind: "fuzz", target, budget }));
  }
  await supervisor.close();
}

function report(target: string, outcome: Outcome): void {
  if (outcome.kind === "fuzz") {
    const { executions, seconds, places, placesOfSeeds, kept, outcomes, findings } = outcome.result;
    const rate = (executions / seconds).toFixed(0);
    const branches = `${places} (${placesOfSeeds})`;
    const cells = [executions, rate, branches, kept, outcomes, findings.length].map((cell, index) =>
      String(cell).padStart(WIDTHS[index] ?? 0),
    );
    print(target.padEnd(22) + cells.join(""));
  }
  const findings = outcome.kind === "fuzz" ? outcome.result.findings : outcome.kind === "replay" ? outcome.findings : [];
  for (const { input, what } of findings) found(target, input, what);
  if (outcome.kind === "failed") found(target, undefined, outcome.message);
  if (outcome.kind === "lost") found(target, outcome.input, outcome.what);
}

/** Prints a finding, and keeps its input when that was asked for. */
function found(target: string, input: Parameters<typeof keepRegression>[2] | undefined, what: string): void {
  process.exitCode = 1;
  print(`\n  FOUND in ${target}: ${what.split("\n").slice(0, 12).join("\n    ")}`);
  if (!input || !values.keep) return;
  const hash = createHash("sha256");
  for (const [name, bytes] of input.files) hash.update(name).update(bytes);
  print(`  kept in ${keepRegression(target, hash.digest("hex").slice(0, 12), input, what.split("\n")[0] ?? "")}\n`);
}
