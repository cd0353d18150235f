// Makes .cache/oracle, a Python environment with torch, Lightning, safetensors and gguf: what the fixtures are made with, and
// what some tests compare against. Prints the path of its python. Does nothing when it is there already.
//
// Exit 0: ready. Exit 3: cannot be had here; the reason is the one line on stderr.
import { execFile, execFileSync } from "node:child_process";
import { appendFileSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { pipIndexes } from "./lib/pip-indexes.mjs";

const PACKAGES = ["torch", "safetensors", "lightning", "numpy", "gguf"];
/** An install takes one or two minutes; beyond this something is wrong. */
const LIMIT_MS = 6 * 60_000;
const deadline = Date.now() + LIMIT_MS;

const cache = fileURLToPath(new URL("../.cache", import.meta.url));
const folder = join(cache, "oracle");
const python = join(folder, process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
const marker = join(folder, "ready");
const lock = join(cache, "oracle.lock");
const log = join(cache, "oracle.log");

function fail(reason) {
  process.stderr.write(`The Python oracle cannot be set up: ${reason}\n`);
  process.exit(3);
}

/** Runs a command to its end with all output in the log; resolves to whether it succeeded. */
function run(command, args, { limitMs = LIMIT_MS } = {}) {
  const timeout = Math.max(1, Math.min(limitMs, deadline - Date.now()));
  return new Promise((resolve) => {
    const child = execFile(command, args, { timeout, killSignal: "SIGKILL", maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      appendFileSync(log, `$ ${[command, ...args].join(" ")}\n${stdout}${stderr}${error ? `${error.message}\n` : ""}`);
      resolve(!error);
    });
    // A kill of this process ends the install too.
    process.once("exit", () => child.kill("SIGKILL"));
  });
}

/** Whether a python has every package; looks for them without importing, which takes seconds for torch. */
function hasPackages(path) {
  const script = `import importlib.util as u, sys; sys.exit(not all(u.find_spec(p) for p in ${JSON.stringify(PACKAGES)}))`;
  try {
    execFileSync(path, ["-c", script], { stdio: "ignore", timeout: 20_000 });
    return true;
  } catch {
    return false;
  }
}

const isReady = () => existsSync(marker) && existsSync(python) && hasPackages(python);

/** Holds the lock, or waits until another process has finished. Returns false when that one left everything ready. */
async function acquire() {
  for (;;) {
    try {
      const file = openSync(lock, "wx");
      writeSync(file, String(process.pid));
      closeSync(file);
      process.once("exit", () => rmSync(lock, { force: true }));
      for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(130));
      return !isReady();
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    if (isAbandoned()) rmSync(lock, { force: true });
    else if (Date.now() > deadline) fail(`another set-up holds ${lock} for too long.`);
    else await sleep(500);
    if (isReady()) return false;
  }
}

/** Whether the lock's owner is no more. */
function isAbandoned() {
  try {
    if (Date.now() - statSync(lock).mtimeMs > 2 * LIMIT_MS) return true;
    const owner = Number(readFileSync(lock, "utf8"));
    if (!owner) return Date.now() - statSync(lock).mtimeMs > 5_000;
    process.kill(owner, 0);
    return false;
  } catch (error) {
    return error.code === "ESRCH";
  }
}

async function install() {
  rmSync(folder, { recursive: true, force: true });
  if (!(await run("python3", ["-m", "venv", folder], { limitMs: 60_000 }))) {
    rmSync(folder, { recursive: true, force: true });
    fail(`python3 could not make a virtual environment (on Debian: apt install python3-venv). Details: ${log}`);
  }
  process.stderr.write(`Installing ${PACKAGES.join(", ")} into ${folder}: one or two minutes.\n`);
  const quiet = ["--quiet", "--disable-pip-version-check", "--no-input", "--timeout", "10", "--retries", "1"];
  const installed = await run(python, ["-m", "pip", "install", ...quiet, ...pipIndexes(), ...PACKAGES]);
  if (!installed || !hasPackages(python)) {
    const late = Date.now() >= deadline;
    rmSync(folder, { recursive: true, force: true });
    fail(`${late ? `pip took more than ${LIMIT_MS / 60_000} minutes` : `pip could not install ${PACKAGES.join(", ")}`}. Details: ${log}`);
  }
  // Imports everything once: proves that it works, and writes the byte code that makes later starts fast.
  if (!(await run(python, ["-c", `import ${PACKAGES.join(", ")}`], { limitMs: 120_000 }))) {
    rmSync(folder, { recursive: true, force: true });
    fail(`the installed packages cannot be imported. Details: ${log}`);
  }
  closeSync(openSync(marker, "w"));
}

const chosen = process.env.CKPTKIT_ORACLE;
if (chosen) {
  if (!hasPackages(chosen)) fail(`CKPTKIT_ORACLE is ${chosen}, which cannot be run or lacks one of ${PACKAGES.join(", ")}.`);
  process.stdout.write(`${chosen}\n`);
} else {
  if (!isReady()) {
    try {
      execFileSync("python3", ["-c", "import sys; sys.exit(sys.version_info < (3, 10))"], { stdio: "ignore", timeout: 20_000 });
    } catch {
      fail("python3 (3.10 or later) was not found.");
    }
    mkdirSync(cache, { recursive: true });
    if (await acquire()) await install();
  }
  process.stdout.write(`${python}\n`);
}
