// Builds the package in the current folder: one ES module an export (code shared between exports is split off), and
// declarations by tsc. Entry points are the package's own `exports`; the CLI has its one in `src/main.ts`.
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const manifest = JSON.parse(readFileSync("package.json", "utf8"));
const entryPoints = Object.values(manifest.exports ?? {}).filter((path) => path.endsWith(".ts"));
const isNode = ["@ckptkit/node", "ckptkit"].includes(manifest.name);

rmSync("dist", { recursive: true, force: true });
// With its build info in place tsc would think that the declarations are still there.
rmSync("node_modules/.cache/tsconfig.tsbuildinfo", { force: true });
try {
  await build({
    entryPoints: entryPoints.length > 0 ? entryPoints : ["src/main.ts"],
    outdir: "dist",
    outbase: "src",
    bundle: true,
    splitting: true,
    format: "esm",
    target: "es2022",
    platform: isNode ? "node" : "neutral",
    // A library leaves its dependencies to the installer. The CLI carries our own packages, so that it starts in one read.
    packages: manifest.bin ? undefined : "external",
    external: manifest.bin ? Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }) : undefined,
    chunkNames: "chunks/[name]-[hash]",
    legalComments: "none",
    logLevel: "warning",
  });
  // Not `tsc -b`: the packages below are built already, and a build writes into its own folder only.
  // A command without exports is not imported, so its declarations would be dead weight.
  const flags = manifest.exports ? [] : ["--noEmit"];
  execFileSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", ".", ...flags], { stdio: "inherit" });
} catch {
  // esbuild and tsc have said what is wrong.
  process.exit(1);
}
