// From a fresh clone to installed dependencies: pnpm of the pinned version, then `pnpm install --frozen-lockfile`.
import { existsSync, rmSync } from "node:fs";
import { delimiter } from "node:path";
import { inRoot, readJson } from "./root.mjs";
import { environment, run, SETUP_LOG, tail } from "./run.mjs";
import { StepFailed, step } from "./steps.mjs";

const WINDOWS = process.platform === "win32";

/** Starts a new log; the one of the last run is of no more use. */
export const newLog = () => rmSync(SETUP_LOG, { force: true });

/**
 * Puts the pinned pnpm first on PATH (turbo and the checks call `pnpm` by name) and returns its version.
 * A pnpm of the machine is taken when it is that very version. Otherwise npm installs it into `.cache`, once.
 */
export async function usePnpm() {
  const version = readJson(inRoot("package.json")).packageManager.split("@")[1];
  const prefix = inRoot(".cache", "pnpm", version);
  const folder = inRoot(".cache", "pnpm", version, "node_modules", ".bin");
  if (existsSync(folder)) {
    process.env.PATH = `${folder}${delimiter}${process.env.PATH}`;
    return `pnpm ${version}`;
  }
  const own = await run(["pnpm", "--version"], { shell: WINDOWS, limitMs: 20_000 });
  if (own.code === 0 && own.output.trim() === version) return `pnpm ${version} of this machine`;
  const { code, output } = await run(
    ["npm", "install", "--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--prefix", prefix, `pnpm@${version}`],
    { shell: WINDOWS, limitMs: 180_000 },
  );
  if (code !== 0 || !existsSync(folder)) {
    rmSync(prefix, { recursive: true, force: true });
    throw new StepFailed(`npm could not install pnpm ${version}. Is the npm registry within reach?\n\n${tail(output)}`);
  }
  process.env.PATH = `${folder}${delimiter}${process.env.PATH}`;
  return `pnpm ${version}, installed into .cache`;
}

/** `pnpm install --frozen-lockfile`, or StepFailed. */
async function install() {
  const { code, output } = await run(["pnpm", "install", "--frozen-lockfile", "--prefer-offline", "--reporter=append-only"], {
    shell: WINDOWS,
    limitMs: 600_000,
    // Without CI pnpm would ask before it removes a node_modules of another version, and nobody is there to answer.
    env: environment({ CI: "true" }),
  });
  if (code !== 0) throw new StepFailed(`pnpm install failed. The whole log is in .cache/setup.log.\n\n${tail(output, 60)}`);
}

/** The set-up that `npm start`, `npm test` and `pnpm check` share. */
export async function setUp() {
  newLog();
  await step("pnpm", usePnpm);
  await step("install dependencies", install);
}
