// The Python oracle: real PyTorch, against which tests compare. Optional, as it is large and not to be had everywhere.
import { existsSync } from "node:fs";
import { inRoot } from "./root.mjs";
import { run, tail } from "./run.mjs";

/** setup-oracle.mjs ends with this code when the machine cannot have the oracle. */
const NOT_TO_BE_HAD = 3;
const LIMIT_MS = 420_000;

/** The command that a person would type to get what is missing. */
export const ORACLE_HELP =
  "install Python 3.10 or newer with venv and pip, then node scripts/setup-oracle.mjs; or set CKPTKIT_ORACLE to a python that has torch, safetensors, lightning, numpy and gguf";

/** Resolves to `{ path, how }`, or to `{ reason }`; `failed` is set when the set-up broke instead of declining. */
export async function obtainOracle() {
  const named = process.env.CKPTKIT_ORACLE;
  if (named)
    return existsSync(named) ? { path: named, how: "CKPTKIT_ORACLE" } : { reason: `CKPTKIT_ORACLE names ${named}, which is not there` };
  const { code, output, timedOut } = await run([process.execPath, inRoot("scripts", "setup-oracle.mjs")], { limitMs: LIMIT_MS });
  const lastLine = tail(output, 1).trim();
  if (code === 0) return { path: lastLine, how: "set up" };
  if (timedOut) return { reason: `the set-up of the Python oracle took more than ${LIMIT_MS / 60_000} minutes` };
  if (code === NOT_TO_BE_HAD) return { reason: lastLine };
  return { reason: `scripts/setup-oracle.mjs ended with code ${code}: ${lastLine}`, failed: true };
}

/** Like obtainOracle, but takes only one that is named, or that an earlier `npm test` has set up. */
export async function findOracle() {
  const isThere = process.env.CKPTKIT_ORACLE || existsSync(inRoot(".cache", "oracle", "ready"));
  return isThere ? obtainOracle() : { reason: "no Python oracle was set up here yet" };
}
