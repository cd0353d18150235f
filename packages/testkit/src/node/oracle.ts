import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { describe } from "vitest";
import { inRepository } from "./root.js";

/** What a run of the oracle takes besides its script. */
export interface OracleOptions {
  /** Plain JSON that the script finds under the name `input`. */
  input?: unknown;
  /** Words that the script finds in `sys.argv[1:]`. */
  args?: readonly string[];
  /** 120,000 by default: importing torch takes seconds, on a busy machine many. */
  timeoutMs?: number;
}

/** Real PyTorch, Lightning and safetensors, to compare with. */
export interface Oracle {
  /** Path of the python. */
  readonly python: string;
  /**
   * Runs a Python script, which assigns its answer to `result`: anything that `json.dumps` takes, without NaN. What it prints
   * is not looked at.
   *
   * @throws {Error} with Python's own message when the script fails.
   */
  run(script: string, options?: OracleOptions): Promise<unknown>;
}

/** What to do when {@link findOracle} finds none. */
export const oracleSkipReason =
  "no Python with torch, Lightning and safetensors was found: run `node scripts/setup-oracle.mjs`, or set CKPTKIT_ORACLE to the path of one";

/**
 * The oracle that CKPTKIT_ORACLE names, or the one that `node scripts/setup-oracle.mjs` has made; undefined when there is neither.
 *
 * @example
 * const oracle = findOracle();
 * const sum = await oracle?.run("import torch\nresult = float(torch.tensor(input).sum())", { input: [1, 2, 3] }); // 6
 */
export function findOracle(): Oracle | undefined {
  const windows = process.platform === "win32";
  const named = process.env.CKPTKIT_ORACLE;
  const own = existsSync(inRepository(".cache/oracle/ready"))
    ? inRepository(`.cache/oracle/${windows ? "Scripts/python.exe" : "bin/python"}`)
    : undefined;
  const python = [named, own].find((path) => path && existsSync(path));
  return python ? { python, run: (script, options) => runPython(python, script, options) } : undefined;
}

/**
 * A suite that needs the oracle. Without one it is skipped, and says in its name what would help.
 *
 * @example describeWithOracle("torch loads what we write", (oracle) => { it("...", async () => { await oracle.run(...) }); });
 */
export function describeWithOracle(name: string, suite: (oracle: Oracle) => void): void {
  const oracle = findOracle();
  if (oracle) describe(name, () => suite(oracle));
  else describe.skip(`${name} (${oracleSkipReason})`, () => suite({ python: "", run: () => Promise.reject(new Error(oracleSkipReason)) }));
}

/** Marks the answer's line among whatever else the script and its libraries print. */
const ANSWER = "ckptkit-oracle-answer:";

function runPython(python: string, script: string, { input = null, args = [], timeoutMs = 120_000 }: OracleOptions = {}): Promise<unknown> {
  const program = [
    "import json, sys",
    "input = json.load(sys.stdin)",
    script,
    `print("\\n${ANSWER}" + json.dumps(result, allow_nan=False), flush=True)`,
  ].join("\n");
  return new Promise((resolve, reject) => {
    const env = { ...process.env, PYTHONUTF8: "1", PYTHONDONTWRITEBYTECODE: "1", PYTHONWARNINGS: "ignore" };
    const child = spawn(python, ["-c", program, ...args], { env, timeout: timeoutMs, killSignal: "SIGKILL" });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      const answer = stdout.split("\n").findLast((line) => line.startsWith(ANSWER));
      if (code === 0 && answer !== undefined) resolve(JSON.parse(answer.slice(ANSWER.length)));
      else if (signal) reject(new Error(`The oracle was stopped after ${timeoutMs / 1000} s.`));
      else reject(new Error(`The oracle's script failed (exit ${code}):\n${stderr.trim().slice(-4000)}`));
    });
    // A script that fails before it reads its input closes the pipe: its own message tells why.
    child.stdin.on("error", () => {});
    child.stdin.end(JSON.stringify(input));
  });
}
