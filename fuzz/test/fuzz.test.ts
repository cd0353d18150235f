import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Supervisor } from "../src/supervise.js";
import { TARGET_NAMES } from "../src/target-names.js";

/** Executions of each target: enough to see that nothing is badly broken, few enough for every run of all tests. */
const EXECUTIONS = 200;

let supervisor: Supervisor;
beforeAll(async () => {
  supervisor = await Supervisor.start();
});
afterAll(() => supervisor.close());

describe.each(TARGET_NAMES)("the target %s", (target) => {
  it("has seeds", async () => {
    const answer = await supervisor.run({ kind: "seeds", target });
    expect(answer).toEqual({ kind: "seeds", seeds: expect.any(Number) });
    expect("seeds" in answer && answer.seeds, `Put a small file of the format ${target} into fixtures/files.`).toBeGreaterThan(0);
  });

  it("withstands every input that once broke it", async () => {
    const answer = await supervisor.run({ kind: "replay", target });
    expect(answer).toMatchObject({ kind: "replay", findings: [] });
  });

  it(`gives an error with a code, a finding or what was written, ${EXECUTIONS} times`, async () => {
    const answer = await supervisor.run({ kind: "fuzz", target, budget: { seed: 1, executions: EXECUTIONS } });
    expect(answer).toMatchObject({ kind: "fuzz", result: { executions: EXECUTIONS, findings: [] } });
  });
});
