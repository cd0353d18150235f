// A Python that stays, so that its peers take their turns in the same run and importing torch is not counted.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** The Python with torch: the one that was given, that `CKPTKIT_ORACLE` names, or that `node scripts/setup-oracle.mjs` made. */
export function oracle(given) {
  const python = given ?? process.env.CKPTKIT_ORACLE ?? fileURLToPath(new URL("../../.cache/oracle/bin/python", import.meta.url));
  if (!existsSync(python)) throw new Error("No Python with torch: run node scripts/setup-oracle.mjs first.");
  return python;
}

const SERVER = `
import json, sys, time
scope = {}
for line in sys.stdin:
    request = json.loads(line)
    try:
        scope["answer"] = None
        code = compile(request["code"], "bench", "exec")
        start = time.perf_counter()
        exec(code, scope)
        ms = 1000 * (time.perf_counter() - start)
        told = {"ms": ms, "answer": scope["answer"]}
    except BaseException as error:
        told = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(told), flush=True)
`;

/** Starts it. `run(code)` resolves to its milliseconds and to what the code has left in `answer`. */
export function startPython(path) {
  const child = spawn(path, ["-u", "-c", SERVER], { stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, OMP_NUM_THREADS: "1" } });
  const waiting = [];
  createInterface({ input: child.stdout }).on("line", (line) => waiting.shift()?.resolve(JSON.parse(line)));
  child.on("close", (code) => {
    for (const { reject } of waiting.splice(0)) reject(new Error(`Python ended with exit code ${code}.`));
  });
  const run = async (code) => {
    const told = await new Promise((resolve, reject) => {
      waiting.push({ resolve, reject });
      child.stdin.write(`${JSON.stringify({ code })}\n`);
    });
    if (told.error) throw new Error(`Python: ${told.error}`);
    return told;
  };
  return { run, stop: () => child.stdin.end() };
}
