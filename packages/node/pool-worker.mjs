// Builds pool-worker.js: the script of the threads, in one file without imports of packages, so that it starts in one read wherever it is put.
//   node pool-worker.mjs [folder]
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

await build({
  entryPoints: [fileURLToPath(new URL("src/pool-worker.ts", import.meta.url))],
  outfile: resolve(process.argv[2] ?? "dist", "pool-worker.js"),
  bundle: true,
  minify: true,
  format: "esm",
  platform: "node",
  target: "es2022",
  legalComments: "none",
  logLevel: "warning",
  allowOverwrite: true,
  // The kernels come compiled from the main thread: their binary would be carried twice.
  plugins: [
    {
      name: "no-binary",
      setup({ onResolve, onLoad }) {
        onResolve({ filter: /generated\/kernels-/ }, ({ path }) => ({ path, namespace: "none" }));
        onLoad({ filter: /.*/, namespace: "none" }, () => ({ contents: "" }));
      },
    },
  ],
});
