// Builds dist/pool-worker.js: the script of the workers, in one file without imports, so that pages without a bundler can start it as well.
//   node pool-worker.mjs [folder]
import { build } from "esbuild";

await build({
  entryPoints: ["src/pool-worker.ts"],
  outfile: `${process.argv[2] ?? "dist"}/pool-worker.js`,
  bundle: true,
  minify: true,
  format: "esm",
  platform: "browser",
  target: "es2022",
  legalComments: "none",
  logLevel: "warning",
  allowOverwrite: true,
  // The kernels come compiled from the page: their binary would be carried twice.
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
