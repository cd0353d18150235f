import { CheckpointError } from "@ckptkit/core";
import { damage } from "@ckptkit/testkit";
import { describe, expect, it } from "vitest";
import { familyFiles, familyFixtures, openFiles } from "./torch-family.js";

/** Damaged copies of each file. Distributed checkpoints have a test of their own. */
const COPIES = 300;
const fixtures = (await familyFixtures()).filter(({ format }) => format !== "torch-dcp");

describe.each(fixtures.map((entry) => [entry.file, entry] as const))("%s, damaged 300 times", (file, entry) => {
  it("gives a coded error, a finding, or tensors of the size that they declare", async () => {
    const files = await familyFiles(entry);
    const names = [...files.keys()];
    for (let seed = 0; seed < COPIES; seed++) {
      const name = names[seed % names.length] ?? file;
      const { bytes, description } = damage(files.get(name) ?? new Uint8Array(0), seed);
      const label = `${name}, ${description}`;
      await expectCoded(label, async () => {
        const checkpoint = await openFiles(file, new Map([...files, [name, bytes]])).checkpoint;
        for (const tensor of checkpoint.tensors) {
          if (tensor.byteLength > 1_000_000) continue;
          await expectCoded(label, async () => expect((await tensor.read()).length, label).toBe(tensor.byteLength));
        }
        await checkpoint.close();
      });
    }
  });
});

/** Runs what may fail with an error that has a code, and with no other. */
async function expectCoded(label: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof CheckpointError) || error.code === "INTERNAL") throw new Error(label, { cause: error });
  }
}
