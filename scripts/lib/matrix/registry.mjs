// A real npm registry on this machine: our packages are published to it, and everything else it fetches from the registry that npm is
// set up with.
import { spawn } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { publishable } from "../packages.mjs";
import { inRoot } from "../root.mjs";
import { run, tail } from "../run.mjs";
import { StepFailed } from "../steps.mjs";

const START_MS = 60_000;
const FOLDER = inRoot(".cache", "matrix", "registry");

/** Starts an empty registry; resolves to `{ url, close }`. */
export async function startRegistry(tools) {
  const storage = join(FOLDER, "storage");
  // Copies of others' packages may stay; ours are published anew.
  for (const { name } of publishable()) rmSync(join(storage, name), { recursive: true, force: true });
  rmSync(join(storage, ".verdaccio-db.json"), { force: true });
  mkdirSync(storage, { recursive: true });
  const config = join(FOLDER, "config.json");
  writeFileSync(config, JSON.stringify(await configuration(storage), null, 2));

  const port = await freePort();
  const url = `http://127.0.0.1:${port}/`;
  const server = spawn(tools.verdaccioNode, [tools.verdaccio, "--config", config, "--listen", `127.0.0.1:${port}`], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [server.stdout, server.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
  }
  const stop = () => server.kill("SIGKILL");
  process.once("exit", stop);
  for (const deadline = Date.now() + START_MS; ; await sleep(200)) {
    if (server.exitCode !== null || Date.now() > deadline) {
      stop();
      throw new StepFailed(`The local registry (verdaccio) did not start.\n\n${tail(output)}`);
    }
    const answer = await fetch(`${url}-/ping`).catch(() => undefined);
    if (answer?.ok) break;
  }
  return {
    url,
    close() {
      process.off("exit", stop);
      stop();
    },
  };
}

async function configuration(storage) {
  const { output } = await run(["npm", "config", "get", "registry"], { shell: process.platform === "win32", limitMs: 30_000 });
  const ours = { access: "$all", publish: "$all", unpublish: "$all" };
  return {
    storage,
    auth: { htpasswd: { file: join(FOLDER, "htpasswd"), max_users: -1 } },
    uplinks: { upstream: { url: output.trim().split("\n").at(-1), maxage: "12h", timeout: "60s", max_fails: 20 } },
    packages: {
      ...Object.fromEntries(publishable().map(({ name }) => [name, ours])),
      "@ckptkit/*": ours,
      "**": { access: "$all", proxy: "upstream" },
    },
    web: { enable: false },
    max_body_size: "50mb",
    log: { type: "stdout", format: "pretty", level: "warn" },
  };
}

const freePort = () =>
  new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
