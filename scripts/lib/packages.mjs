// The packages of the workspace, in the folders that pnpm-workspace.yaml names.
import { existsSync, readdirSync } from "node:fs";
import { inRoot, readJson } from "./root.mjs";

const SINGLE = ["wasm", "bench", "fixtures", "fuzz"];
const PARENTS = ["packages", "apps"];

const folders = () => [
  ...SINGLE,
  ...PARENTS.filter((parent) => existsSync(inRoot(parent))).flatMap((parent) =>
    readdirSync(inRoot(parent)).map((name) => `${parent}/${name}`),
  ),
];

/** Every package as `{ name, folder, manifest }`, sorted by name; `folder` is relative to the root. */
export function packages() {
  return folders()
    .filter((folder) => existsSync(inRoot(folder, "package.json")))
    .map((folder) => ({ folder, manifest: readJson(inRoot(folder, "package.json")) }))
    .map(({ folder, manifest }) => ({ name: manifest.name, folder, manifest }))
    .sort((a, b) => a.name.localeCompare(b.name));
}

/** The packages that are published. */
export const publishable = () => packages().filter(({ manifest }) => !manifest.private);

/** The packages that have tests. */
export const tested = () => packages().filter(({ manifest }) => manifest.scripts?.test);
