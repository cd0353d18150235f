import { seededRandom } from "@ckptkit/testkit";
import { allocatedTooMuch, beginExecution, Novelty } from "./coverage.js";
import { Broken } from "./finding.js";
import type { FuzzCase } from "./fuzz-case.js";
import { mutate } from "./mutate.js";
import type { FuzzTarget } from "./targets.js";

/** An input that brought about what none may. */
export interface FuzzFinding {
  readonly input: FuzzCase;
  /** The same defect has the same key. */
  readonly key: string;
  readonly what: string;
}

/** What one run found. */
export interface FuzzResult {
  readonly executions: number;
  readonly seconds: number;
  /** Branches reached, and how many of them by seeds alone. */
  readonly places: number;
  readonly placesOfSeeds: number;
  /** Inputs that were kept because they reached something new. */
  readonly kept: number;
  /** Different words of what came of inputs. */
  readonly outcomes: number;
  readonly findings: readonly FuzzFinding[];
}

/** How long to go on. */
export interface FuzzBudget {
  readonly seed: number;
  readonly seconds?: number | undefined;
  readonly executions?: number | undefined;
}

/** One execution may take this long. Longer ones are run again: machines are busy at times. */
const SLOW_MS = 1500;
/** Kept inputs, of which half are thrown away when there are more. */
const MOST_KEPT = 4000;

/**
 * Runs a target on its seeds, then on changed copies of them and of what reached new places, until the budget is used up.
 *
 * @param before told of each input in front of its execution, for whoever has to end it
 */
export async function fuzz(target: FuzzTarget, budget: FuzzBudget, before: (input: FuzzCase) => void): Promise<FuzzResult> {
  const seeds = await target.seeds();
  if (seeds.length === 0) throw new Error(`The target ${target.name} has no seeds: it needs fixtures in fixtures/files.`);
  const random = seededRandom(budget.seed);
  const novelty = new Novelty();
  const outcomes = new Set<string>();
  const findings = new Map<string, FuzzFinding>();
  let kept: FuzzCase[] = [];
  let executions = 0;

  const execute = async (input: FuzzCase, isDamage: boolean): Promise<void> => {
    before(input);
    executions++;
    const { word, finding } = await runOnce(target, input, isDamage);
    if (finding && !findings.has(finding.key)) findings.set(finding.key, finding);
    const isNewWord = !outcomes.has(word) && outcomes.size < MOST_KEPT;
    outcomes.add(word);
    if (novelty.add() || isNewWord) kept.push(input);
    if (kept.length > MOST_KEPT) kept = kept.filter((_, index) => index % 2 === 0);
  };

  for (const seed of seeds) await execute(seed, true);
  const placesOfSeeds = novelty.places;
  const start = performance.now();
  const goesOn = (): boolean =>
    budget.executions !== undefined ? executions < budget.executions : performance.now() - start < 1000 * (budget.seconds ?? 60);
  while (goesOn()) {
    const fromSeeds = random.integer(3) === 0;
    const from = fromSeeds ? seeds : kept;
    const base = from[random.integer(from.length)] ?? seeds[0];
    const other = seeds[random.integer(seeds.length)] ?? base;
    if (!base || !other) break;
    const { input, isDamage } = mutate(base, other, random);
    // Only a seed that was damaged once can be held against the truth.
    await execute(input, isDamage && seeds.includes(base));
  }
  return {
    executions,
    seconds: (performance.now() - start) / 1000,
    places: novelty.places,
    placesOfSeeds,
    kept: kept.length,
    outcomes: outcomes.size,
    findings: [...findings.values()],
  };
}

/** Runs one input and judges what comes of it. */
export async function runOnce(target: FuzzTarget, input: FuzzCase, isDamage: boolean): Promise<{ word: string; finding?: FuzzFinding }> {
  const first = await timed(target, input, isDamage);
  const { word, error } = first;
  const finding = (what: string): FuzzFinding => ({ input: isDamage ? input : { ...input, truthOf: undefined }, key: keyOf(what), what });
  const tooMuch = allocatedTooMuch();
  if (tooMuch !== undefined) return { word: "allocated too much", finding: finding(`Allocated too much: ${tooMuch}`) };
  if (error) return { word: `broken ${keyOf(error)}`, finding: finding(error) };
  if (first.ms <= SLOW_MS) return { word };
  const again = Math.min((await timed(target, input, isDamage)).ms, (await timed(target, input, isDamage)).ms);
  return again <= SLOW_MS ? { word } : { word: "slow", finding: finding(`Took ${Math.round(again)} ms, three times over.`) };
}

async function timed(target: FuzzTarget, input: FuzzCase, isDamage: boolean): Promise<{ word: string; ms: number; error?: string }> {
  beginExecution();
  const start = performance.now();
  try {
    const word = await target.run(input, isDamage);
    return { word, ms: performance.now() - start };
  } catch (caught) {
    const error = caught instanceof Error ? caught : new Error(String(caught));
    const what = error instanceof Broken ? error.message : (error.stack ?? error.message);
    return { word: "", ms: performance.now() - start, error: error.cause instanceof Error ? `${what}\nCause: ${error.cause.stack}` : what };
  }
}

/** Message and innermost function, without numbers and names of the input. */
function keyOf(what: string): string {
  const [message = "", ...frames] = what.split("\n");
  const place = frames.find((line) => /^\s+at /.test(line) && !/alloc/.test(line)) ?? "";
  return `${message} ${place.replace(/\(.*$/, "")}`.replaceAll(/"[^"]*"|\d+|\[[^\]]*\]/g, "#").slice(0, 200);
}
