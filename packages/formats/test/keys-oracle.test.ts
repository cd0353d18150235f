import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memorySource } from "@ckptkit/core";
import { describeWithOracle } from "@ckptkit/testkit/node";
import { expect, it } from "vitest";
import { openCheckpoint } from "../src/index.js";
import { PYTHON_KEYS } from "./python-keys.js";

/** Evaluates the expressions and saves a tensor under each of their values. */
const SCRIPT = `
import collections, torch
values = [eval(text) for text in input["expressions"]]
torch.save([{value: torch.zeros(1)} for value in values], input["path"])
result = [str(value).encode("utf-8", "surrogatepass").hex() for value in values]
`;

describeWithOracle("Python", (oracle) => {
  it("shows keys as the table says, and our paths show them alike", async () => {
    const folder = await mkdtemp(join(tmpdir(), "ckptkit-"));
    try {
      const path = join(folder, "keys.pt");
      const texts = (await oracle.run(SCRIPT, { input: { expressions: PYTHON_KEYS.map(([expression]) => expression), path } })) as string[];
      const expected = PYTHON_KEYS.map(([, , text]) => text);
      expect(texts.map((hex) => Buffer.from(hex, "hex").toString("utf8"))).toEqual(expected);
      const { tensors } = await openCheckpoint(memorySource(await readFile(path)));
      expect(tensors.map(({ keys }) => String(keys[1]))).toEqual(expected);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
