// Runs a command: its output goes to a log file and to the caller, who shows it when it is worth reading.
import { spawn } from "node:child_process";
import { appendFileSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { inRoot, ROOT } from "./root.mjs";

export const SETUP_LOG = inRoot(".cache", "setup.log");
const WINDOWS = process.platform === "win32";
/** How long a command may take to end after SIGTERM before SIGKILL. */
const GRACE_MS = 2_000;

/** What children see: no telemetry, no update notices, and npm's log level is not inherited from `npm test --silent`. */
export function environment(extra = {}) {
  const env = { ...process.env, TURBO_TELEMETRY_DISABLED: "1", TURBO_NO_UPDATE_NOTIFIER: "1", DO_NOT_TRACK: "1", ...extra };
  for (const name of ["npm_config_loglevel", "npm_config_local_prefix", "npm_config_prefix", "npm_config_global_prefix"]) delete env[name];
  return env;
}

const running = new Set();
const killAll = (signal) => {
  for (const child of running) kill(child, signal);
};
process.on("exit", () => killAll("SIGKILL"));
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(signal === "SIGINT" ? 130 : 143));

// Children lead a process group of their own, so that what they started ends with them.
function kill(child, signal) {
  try {
    if (WINDOWS) child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch {
    // It has ended already.
  }
}

/**
 * Runs `command` and resolves when it has ended, whatever its exit code:
 * `{ code, output, timedOut }`. A command that cannot be started has code 127.
 */
export function run(command, { cwd = ROOT, env = environment(), limitMs, log = SETUP_LOG, shell = false } = {}) {
  const note = (text) => {
    mkdirSync(dirname(log), { recursive: true });
    appendFileSync(log, text);
  };
  note(`$ ${command.join(" ")}   (started)\n`);
  return new Promise((resolve) => {
    const child = spawn(command[0], command.slice(1), { cwd, env, shell, detached: !WINDOWS, stdio: ["ignore", "pipe", "pipe"] });
    running.add(child);
    let output = "";
    let timedOut = false;
    const collect = (chunk) => {
      output += chunk;
    };
    child.stdout.setEncoding("utf8").on("data", collect);
    child.stderr.setEncoding("utf8").on("data", collect);
    const timer =
      limitMs &&
      setTimeout(() => {
        timedOut = true;
        kill(child, "SIGTERM");
        setTimeout(() => running.has(child) && kill(child, "SIGKILL"), GRACE_MS).unref();
      }, limitMs);
    const end = (code, more = "") => {
      // A command that could not be started reports both an error and its close.
      if (!running.delete(child)) return;
      clearTimeout(timer);
      // In one piece, as commands run side by side.
      note(`\n$ ${command.join(" ")}   (${timedOut ? "took too long" : `ended with code ${code}`})\n${output}${more}\n`);
      resolve({ code: timedOut ? 124 : code, output: output + more, timedOut });
    };
    child.on("error", (error) => end(127, `${command[0]} could not be started: ${error.message}\n`));
    child.on("close", (code) => end(code ?? 1));
  });
}

/** The last lines of an output, for a message. */
export const tail = (text, lines = 40) => text.trimEnd().split("\n").slice(-lines).join("\n");
