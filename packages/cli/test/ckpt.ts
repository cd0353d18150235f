import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

/** The command that npm puts on the path. */
export const BIN = fileURLToPath(new URL("../bin/ckpt.js", import.meta.url));

if (!existsSync(new URL("../dist/main.js", import.meta.url))) {
  throw new Error("packages/cli is not built. Build it first: pnpm build");
}

/** How a run of the command ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The environment of the tests without what changes the output. */
export function cleanEnv(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const { NO_COLOR: _a, FORCE_COLOR: _b, COLUMNS: _c, NODE_OPTIONS: _d, ...rest } = process.env;
  return { ...rest, ...extra };
}

/** Starts the built command. */
export function start(args: readonly string[], env?: NodeJS.ProcessEnv): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [BIN, ...args], { env: cleanEnv(env) });
}

/** Waits for a command's end, and collects what it prints. */
export function ended(child: ChildProcessWithoutNullStreams): Promise<Ended> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (bytes: Buffer) => stdout.push(bytes));
  child.stderr.on("data", (bytes: Buffer) => stderr.push(bytes));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }));
  });
}

/** Runs the built command to its end. */
export const ckpt = (...args: string[]): Promise<Ended> => ended(start(args));

/** Runs it with `--json`, and reads what it prints. */
export async function ckptJson<T>(...args: string[]): Promise<{ code: number | null; json: T; stderr: string }> {
  const { code, stdout, stderr } = await ckpt(...args, "--json");
  return { code, json: JSON.parse(stdout), stderr };
}

/** A folder for the test that runs. */
export async function scratch(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "ckpt-test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** What `--json` prints of an error. */
export interface ErrorJson {
  error: { code: string; message: string; details: Record<string, unknown>; suggestions: string[] };
}
