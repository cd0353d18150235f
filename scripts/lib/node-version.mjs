// Imported first by every script a user runs: an old Node then ends here with one clear line, not in a syntax error.
import { readFileSync } from "node:fs";

const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
const needed = /(\d+)\.(\d+)/.exec(manifest.engines.node);
const [major, minor] = process.versions.node.split(".").map(Number);
const [neededMajor, neededMinor] = needed.slice(1).map(Number);

if (major < neededMajor || (major === neededMajor && minor < neededMinor)) {
  process.stdout.write(
    `This is Node ${process.versions.node}, and ckptkit needs ${neededMajor}.${neededMinor} or newer.\n` +
      "Install a current Node from https://nodejs.org, open a new terminal and try again.\n",
  );
  process.exit(1);
}
