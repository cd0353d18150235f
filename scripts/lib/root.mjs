import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The root folder of the repository, whatever the current folder is. */
export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** The path of something in the repository. */
export const inRoot = (...parts) => join(ROOT, ...parts);

/** A JSON file, parsed. */
export const readJson = (path) => JSON.parse(readFileSync(path, "utf8"));

/** A tool that the root depends on, as [node, its script]: no shell and no `.cmd` wrapper in between. */
export function tool(name, bin = name) {
  const manifest = readJson(inRoot("node_modules", name, "package.json"));
  const path = typeof manifest.bin === "string" ? manifest.bin : manifest.bin[bin];
  return [process.execPath, inRoot("node_modules", name, path)];
}
