import { describeWithOracle, findOracle, oracleSkipReason } from "@ckptkit/testkit/node";
import { describe, expect, it, vi } from "vitest";

describe("findOracle", () => {
  it("does not take a path at which nothing is", () => {
    vi.stubEnv("CKPTKIT_ORACLE", "/no/such/python");
    expect(findOracle()?.python).not.toBe("/no/such/python");
    vi.unstubAllEnvs();
  });

  it("has a reason for its absence that names the command to run", () => {
    expect(oracleSkipReason).toContain("node scripts/setup-oracle.mjs");
  });
});

describeWithOracle("the oracle", (oracle) => {
  it("computes with torch what JSON brings it", async () => {
    const script = 'import torch\nprint("noise")\nresult = torch.tensor(input["x"]).sum().item()';
    expect(await oracle.run(script, { input: { x: [1.5, 2.25] } })).toBe(3.75);
  });

  it("passes text of any script and words on the command line", async () => {
    expect(await oracle.run("result = [input, sys.argv[1:]]", { input: "größe 重み 🧠", args: ["a b", "ß"] })).toEqual([
      "größe 重み 🧠",
      ["a b", "ß"],
    ]);
  });

  it("rejects with Python's own message when the script fails", async () => {
    await expect(oracle.run('raise ValueError("no such thing")')).rejects.toThrow("ValueError: no such thing");
  });

  it("stops a script that takes too long", async () => {
    await expect(oracle.run("import time\ntime.sleep(60)", { timeoutMs: 300 })).rejects.toThrow("stopped after 0.3 s");
  });
});
