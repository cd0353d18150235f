import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * A Vite plugin for workers of packages that are built from their sources: `new URL("./worker.js", import.meta.url)` names what stands beside the code once it
 * is published; beside its source stands `worker.ts`.
 */
export const sourceWorkers = () => ({
  name: "ckptkit:source-workers",
  enforce: "pre" as const,
  transform(code: string, id: string): string | undefined {
    const file = id.split("?")[0] ?? id;
    if (!file.endsWith(".ts") || !code.includes("import.meta.url")) return undefined;
    return code.replace(/new URL\("(\.\.?\/[^"]+)\.js", import\.meta\.url\)/g, (text, path: string) =>
      existsSync(join(dirname(file), `${path}.ts`)) ? `new URL("${path}.ts", import.meta.url)` : text,
    );
  },
});
