import { existsSync, readdirSync, readFileSync } from "node:fs";
import { ROOT } from "./pages.js";

/** One way into a package: `@ckptkit/core/pipeline`. */
export interface ApiEntry {
  /** As it is imported. */
  readonly specifier: string;
  /** Of its page below `reference/api`, without an extension. */
  readonly page: string;
  /** Of its TypeScript file. */
  readonly file: string;
}

/** Every TypeScript entry of every published package, in the order in which a reader comes upon them. */
export const apiEntries = (): ApiEntry[] =>
  ["wasm", ...readdirSync(`${ROOT}packages`).map((name) => `packages/${name}`)].flatMap(entriesOf).sort(byImportance);

function entriesOf(folder: string): ApiEntry[] {
  if (!existsSync(`${ROOT}${folder}/package.json`)) return [];
  const manifest: { name: string; private?: boolean; exports?: Record<string, string> } = JSON.parse(
    readFileSync(`${ROOT}${folder}/package.json`, "utf8"),
  );
  if (manifest.private) return [];
  return (
    Object.entries(manifest.exports ?? {})
      // An address that ends in .js is a worker's script, and has nothing to import.
      .filter(([subpath, file]) => file.endsWith(".ts") && !subpath.endsWith(".js"))
      .map(([subpath, file]) => {
        const specifier = manifest.name + subpath.slice(1);
        return { specifier, page: specifier.replace("@ckptkit/", "").replace("/", "-"), file: `${ROOT}${folder}/${file.slice(2)}` };
      })
  );
}

/** What a newcomer imports first stands first; what is not named here comes last, by name. */
const FIRST = ["node", "browser", "inspect", "formats", "core", "core-pipeline", "stages", "catalog", "remote", "pickle", "wasm"];
const rank = ({ page }: ApiEntry): number => {
  const at = FIRST.findIndex((name) => page === name || page.startsWith(`${name}-`));
  return at < 0 ? FIRST.length : at;
};
const byImportance = (a: ApiEntry, b: ApiEntry): number => rank(a) - rank(b) || a.page.localeCompare(b.page);
