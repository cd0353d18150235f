// Tools take turns: what else the machine does in that time falls on all of them. Answers are compared first.
import { isDeepStrictEqual } from "node:util";

/** A tool that cannot take part, and why: it is said, and not left out in silence. */
export class Absent {
  constructor(reason) {
    this.reason = reason;
  }
}

/** Loads what a peer needs; gives an {@link Absent} in its place where that fails. */
export async function peer(load) {
  try {
    return await load();
  } catch (error) {
    return new Absent(error.message.split("\n")[0]);
  }
}

/** What is over sooner is done several times in one turn, and the least time counts: it is the one that other programs have disturbed least. */
const SHORT_MS = 100;
const MOST_TRIES = 5;

async function turn(run) {
  const began = performance.now();
  let least = Number.POSITIVE_INFINITY;
  let told;
  for (let tries = 0; tries < MOST_TRIES && (tries === 0 || performance.now() - began < SHORT_MS); tries++) {
    const start = performance.now();
    told = await run();
    least = Math.min(least, told?.ms ?? performance.now() - start);
  }
  return { ms: least, answer: told?.answer };
}

/**
 * Milliseconds of every tool, by turns. Tools are functions; they give `{ answer, ms }`, both of which may be left out: without `ms` the whole call
 * counts. The first round warms up and does not count; its answers must be the same.
 */
export async function byTurns(tools, { rounds, same = isDeepStrictEqual }) {
  const times = Object.fromEntries(Object.keys(tools).map((tool) => [tool, []]));
  let truth;
  for (let round = -1; round < rounds; round++) {
    for (const [tool, run] of Object.entries(tools)) {
      const { ms, answer } = await turn(run);
      if (round >= 0) times[tool].push(ms);
      else if (answer !== undefined) {
        truth ??= { tool, answer };
        if (same(truth.answer, answer)) continue;
        throw new Error(`${tool} and ${truth.tool} give different answers: ${JSON.stringify([answer, truth.answer]).slice(0, 500)}`);
      }
    }
  }
  return times;
}
