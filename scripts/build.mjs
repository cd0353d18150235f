// Builds the package in the current folder, and its declarations by tsc. A library stays one ES module a source file: bundlers leave
// out whole modules, but keep much of what a module does not need. The CLI is bundled, so that it starts in few reads.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { nameStars } from "./lib/named-stars.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const manifest = JSON.parse(readFileSync("package.json", "utf8"));

/**
 * The readers that formats loads when they are needed come as one here. Each by itself would make a chunk of every set of readers that share a file, and
 * the code that starts would be in seventy of them: on a disk, files cost more than what is in them.
 */
const togetherLater = {
  name: "together-later",
  setup({ onResolve, onLoad }) {
    const from = /[\\/]formats[\\/](?:src|dist)[\\/]readers\.[jt]s$/;
    onResolve({ filter: /\/[a-z-]*(?:reader|sharded)\.js$/ }, ({ kind, importer }) =>
      // Names of chunks come from these paths too: in any folder the same.
      kind === "dynamic-import" && from.test(importer) ? { path: relative(root, importer), namespace: "later-readers" } : undefined,
    );
    onLoad({ filter: /.*/, namespace: "later-readers" }, ({ path }) => {
      const file = join(root, path);
      const modules = [...readFileSync(file, "utf8").matchAll(/import\("([^"]+)"\)/g)].map(([, module]) => `export * from "${module}";`);
      return { contents: modules.join("\n"), resolveDir: dirname(file) };
    });
  },
};

/**
 * A chunk is imported for its names alone. esbuild adds imports without any, which keep the order of side effects across barrels: no module here has some
 * (`sideEffects: false`), and a command would load the chunks of all others.
 */
const onlyWhatIsNamed = {
  name: "only-what-is-named",
  setup({ onEnd }) {
    onEnd(({ metafile }) => {
      for (const path of Object.keys(metafile?.outputs ?? {})) {
        const text = readFileSync(path, "utf8");
        writeFileSync(path, text.replaceAll(/^import "\.\/[^"]*chunk-[A-Z0-9]+\.js";\n/gm, ""));
      }
    });
  },
};

rmSync("dist", { recursive: true, force: true });
// With its build info in place tsc would think that the declarations are still there.
rmSync("node_modules/.cache/tsconfig.tsbuildinfo", { force: true });
try {
  await build({
    entryPoints: [manifest.bin ? "src/main.ts" : "src/**/*.ts"],
    outdir: "dist",
    outbase: "src",
    format: "esm",
    target: "es2022",
    legalComments: "none",
    logLevel: "warning",
    ...(manifest.bin && {
      bundle: true,
      splitting: true,
      platform: "node",
      external: Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }),
      chunkNames: "chunks/[name]-[hash]",
      metafile: true,
      plugins: [togetherLater, onlyWhatIsNamed],
    }),
  });
  if (!manifest.bin) {
    const built = readdirSync("dist", { recursive: true, withFileTypes: true }).filter(
      (entry) => entry.isFile() && entry.name.endsWith(".js"),
    );
    nameStars(built.map((entry) => join(entry.parentPath, entry.name)));
  }
  // Not `tsc -b`: the packages below are built already, and a build writes into its own folder only.
  // A command without exports is not imported, so its declarations would be dead weight.
  const flags = manifest.exports ? [] : ["--noEmit"];
  execFileSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", ".", ...flags], { stdio: "inherit" });
} catch {
  // esbuild and tsc have said what is wrong.
  process.exit(1);
}
