import { parentPort, workerData } from "node:worker_threads";
import { putCase } from "./fuzz-case.js";
import { type FuzzBudget, type FuzzFinding, type FuzzResult, fuzz, runOnce } from "./fuzzer.js";
import { regressionsOf } from "./regressions.js";
import { TARGETS } from "./targets.js";

/** What the main thread asks for. */
export type Job =
  | { readonly kind: "fuzz"; readonly target: string; readonly budget: FuzzBudget }
  | { readonly kind: "replay"; readonly target: string }
  | { readonly kind: "seeds"; readonly target: string };

/** What it gets. */
export type Answer =
  | { readonly kind: "fuzz"; readonly result: FuzzResult }
  | { readonly kind: "replay"; readonly cases: number; readonly findings: readonly FuzzFinding[] }
  | { readonly kind: "seeds"; readonly seeds: number }
  | { readonly kind: "failed"; readonly message: string };

// supervise.ts starts this worker with them.
const { ticks, memory } = workerData as { ticks: Int32Array; memory: Uint8Array };

/** Counts up, so that the other thread sees life, and leaves the input where it is found when this thread has to be ended. */
function before(input: Parameters<typeof putCase>[1]): void {
  putCase(memory, input);
  Atomics.add(ticks, 0, 1);
}

async function answer(job: Job): Promise<Answer> {
  const target = TARGETS.find(({ name }) => name === job.target);
  if (!target)
    return { kind: "failed", message: `There is no target ${job.target}. There are: ${TARGETS.map(({ name }) => name).join(", ")}` };
  if (job.kind === "seeds") return { kind: "seeds", seeds: (await target.seeds()).length };
  if (job.kind === "fuzz") return { kind: "fuzz", result: await fuzz(target, job.budget, before) };
  const findings: FuzzFinding[] = [];
  const cases = regressionsOf(job.target);
  for (const [name, input] of cases) {
    before(input);
    const { finding } = await runOnce(target, input, input.truthOf !== undefined);
    if (finding) findings.push({ ...finding, what: `${name}: ${finding.what}` });
  }
  return { kind: "replay", cases: cases.length, findings };
}

parentPort?.on("message", async (job: Job) => {
  const told = await answer(job).catch(
    (error: unknown): Answer => ({ kind: "failed", message: error instanceof Error ? (error.stack ?? "") : String(error) }),
  );
  parentPort?.postMessage(told);
});
