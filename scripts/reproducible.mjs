// `pnpm reproducible`: builds twice, here and in a fresh copy in another folder, and compares what would be published byte by byte.
import "./lib/node-version.mjs";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { publishable } from "./lib/packages.mjs";
import { inRoot, ROOT } from "./lib/root.mjs";
import { run, tail } from "./lib/run.mjs";
import { newLog, usePnpm } from "./lib/setup.mjs";
import { StepFailed, say, step } from "./lib/steps.mjs";

const LIMIT_MS = 600_000;

async function must(what, command, cwd) {
  const { code, output } = await run(command, { cwd, shell: process.platform === "win32", limitMs: LIMIT_MS });
  if (code !== 0) throw new StepFailed(`${what} failed in ${cwd}.\n\n${tail(output, 60)}`);
}

/** From nothing: what turbo keeps would be the same by definition. */
const build = (root) =>
  must(
    "The build",
    [process.execPath, join(root, "scripts", "turbo.mjs"), "generate", "build", "--filter=!@ckptkit/docs", "--force"],
    root,
  );

/** Digests of what would be published, by path; and of each tarball. */
async function digests(root) {
  const found = new Map();
  for (const { name, folder } of publishable()) {
    const tarball = join(root, ".cache", "reproducible", `${name.replace(/[@/]/g, "-")}.tgz`);
    mkdirSync(dirname(tarball), { recursive: true });
    await must("Packing", ["pnpm", "pack", "--out", tarball], join(root, folder));
    const unpacked = `${tarball}.files`;
    rmSync(unpacked, { recursive: true, force: true });
    mkdirSync(unpacked);
    await must("Unpacking", ["tar", "-xzf", tarball, "-C", unpacked, "--strip-components=1"], root);
    for (const file of readdirSync(unpacked, { recursive: true }).map(String)) {
      if (statSync(join(unpacked, file)).isFile()) found.set(`${folder}/${file}`, digest(join(unpacked, file)));
    }
    found.set(`${name}.tgz`, digest(tarball));
  }
  return found;
}

const digest = (file) => createHash("sha256").update(readFileSync(file)).digest("hex");

async function copyOf(folder) {
  const { output } = await run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], { limitMs: 60_000 });
  for (const file of output.split("\0").filter((name) => name && existsSync(inRoot(name)))) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(inRoot(file), join(folder, file));
  }
  await must("Installing", ["pnpm", "install", "--frozen-lockfile", "--prefer-offline"], folder);
}

const other = mkdtempSync(join(tmpdir(), "ckptkit-reproducible-"));
try {
  newLog();
  await usePnpm();
  await step("build here", () => build(ROOT));
  const here = await step("pack here", () => digests(ROOT));
  await step("a copy elsewhere", () => copyOf(other));
  await step("build there", () => build(other));
  const there = await step("pack there", () => digests(other));
  const different = [...new Set([...here.keys(), ...there.keys()])].filter((file) => here.get(file) !== there.get(file));
  if (different.length > 0)
    throw new StepFailed(`These differ between two builds of the same sources:\n${different.map((file) => `  ${file}`).join("\n")}`);
  say(`\n${here.size} files and tarballs are the same, byte by byte, in two builds.`);
} catch (error) {
  say(`\n${error instanceof StepFailed ? error.message : error.stack}`);
  process.exitCode = 1;
} finally {
  rmSync(other, { recursive: true, force: true });
}
