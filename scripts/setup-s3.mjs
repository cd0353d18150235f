// Finds moto_server, an S3 server for tests, or installs it into .cache/moto. Prints its path. Does nothing when it is there already.
//
// Exit 0: ready. Exit 3: cannot be had here; the reason is the one line on stderr.
import { execFileSync } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, rmSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { pipIndexes } from "./lib/pip-indexes.mjs";

/** An install takes half a minute; beyond this something is wrong. */
const LIMIT_MS = 120_000;
const PACKAGE = "moto[server]>=5,<6";

const cache = fileURLToPath(new URL("../.cache", import.meta.url));
const folder = join(cache, "moto");
const inFolder = (name) => join(folder, process.platform === "win32" ? `Scripts/${name}.exe` : `bin/${name}`);
const marker = join(folder, "ready");

function fail(reason) {
  process.stderr.write(`The S3 server for tests cannot be set up: ${reason}\n`);
  process.exit(3);
}

/** Whether a command runs to a good end. */
function succeeds(command, args, limitMs) {
  try {
    execFileSync(command, args, { stdio: "ignore", timeout: limitMs, killSignal: "SIGKILL" });
    return true;
  } catch {
    return false;
  }
}

// A name on PATH may be a shim of a version manager that leads nowhere: it counts only when it starts.
const starts = (path) => succeeds(path, ["--help"], 30_000);

function install() {
  mkdirSync(cache, { recursive: true });
  rmSync(folder, { recursive: true, force: true });
  if (!succeeds("python3", ["-m", "venv", folder], 60_000)) fail("python3 could not make a virtual environment.");
  const quiet = ["--quiet", "--disable-pip-version-check", "--no-input", "--timeout", "10", "--retries", "1"];
  const installed = succeeds(inFolder("python"), ["-m", "pip", "install", ...quiet, ...pipIndexes(), PACKAGE], LIMIT_MS);
  if (!installed || !starts(inFolder("moto_server"))) {
    rmSync(folder, { recursive: true, force: true });
    fail(`pip could not install ${PACKAGE}.`);
  }
  closeSync(openSync(marker, "w"));
}

const named = process.env.CKPTKIT_MOTO;
const onPath = (process.env.PATH ?? "")
  .split(delimiter)
  .map((entry) => join(entry, "moto_server"))
  .find((path) => existsSync(path) && starts(path));
if (named) {
  if (!starts(named)) fail(`CKPTKIT_MOTO is ${named}, which does not start.`);
  process.stdout.write(`${named}\n`);
} else if (onPath) {
  process.stdout.write(`${onPath}\n`);
} else {
  if (!existsSync(marker)) install();
  process.stdout.write(`${inFolder("moto_server")}\n`);
}
