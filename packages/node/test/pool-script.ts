import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const packageFolder = fileURLToPath(new URL("..", import.meta.url));

/** Builds the script of the threads into a folder, as the package's build does; gives its address. */
export function buildPoolScript(folder: string): string {
  execFileSync(process.execPath, [join(packageFolder, "pool-worker.mjs"), folder], { cwd: packageFolder, stdio: "inherit" });
  return pathToFileURL(join(folder, "pool-worker.js")).href;
}
