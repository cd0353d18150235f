// An S3 server for tests: moto, whose check of signatures is the AWS SDK's own for Python. Optional, as it is a Python program.

import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { inRoot } from "./root.mjs";
import { run, tail } from "./run.mjs";

/** setup-s3.mjs ends with this code when the machine cannot have the server. */
const NOT_TO_BE_HAD = 3;
const LIMIT_MS = 150_000;

/** The command that a person would type to get what is missing. */
export const S3_HELP = "pip install 'moto[server]', or set CKPTKIT_MOTO to a moto_server";

/** Resolves to `{ path, how }`, or to `{ reason }`; `failed` is set when the set-up broke instead of declining. */
export async function obtainS3() {
  const { code, output, timedOut } = await run([process.execPath, inRoot("scripts", "setup-s3.mjs")], { limitMs: LIMIT_MS });
  const lastLine = tail(output, 1).trim();
  if (code === 0) return { path: lastLine, how: lastLine.startsWith(inRoot(".cache")) ? "set up" : "found" };
  if (timedOut) return { reason: `the set-up of moto took more than ${LIMIT_MS / 1000} s` };
  if (code === NOT_TO_BE_HAD) return { reason: lastLine };
  return { reason: `scripts/setup-s3.mjs ended with code ${code}: ${lastLine}`, failed: true };
}

/** Like obtainS3, but takes only one that is named or installed, or that an earlier `npm test` has set up. */
export async function findS3() {
  const isThere =
    process.env.CKPTKIT_MOTO ||
    existsSync(inRoot(".cache", "moto", "ready")) ||
    (process.env.PATH ?? "").split(delimiter).some((folder) => existsSync(join(folder, "moto_server")));
  return isThere ? obtainS3() : { reason: "no moto_server was found or set up here" };
}
