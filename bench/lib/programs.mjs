// ckptkit as a user's program has it: bundled from the packages, in a folder that goes when the bench ends.
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL("..", import.meta.url));

const bundle = (options) =>
  build({
    bundle: true,
    format: "esm",
    platform: "node",
    target: "es2022",
    nodePaths: [join(here, "node_modules")],
    logLevel: "error",
    ...options,
  });

/** The packages as one module, the child program of bench/child.js, and the threads' script beside them. */
export async function buildPrograms(folder) {
  const contents = ["core", "inspect", "inspect/audit", "node", "wasm"].map((name) => `export * from "@ckptkit/${name}";`).join("\n");
  await bundle({
    stdin: { contents: `${contents}\nexport { openCheckpoint as openSource } from "@ckptkit/formats";`, resolveDir: here },
    outfile: join(folder, "ckptkit.mjs"),
  });
  await bundle({ entryPoints: [join(here, "child.js")], outfile: join(folder, "child.mjs") });
  await bundle({ entryPoints: [join(here, "../packages/node/src/pool-worker.ts")], outfile: join(folder, "pool-worker.js") });
  await bundle({ entryPoints: [join(here, "../packages/testkit/src/node/big-torch.ts")], outfile: join(folder, "big-torch.mjs") });
  const load = (name) => import(pathToFileURL(join(folder, name)).href);
  return { ckptkit: await load("ckptkit.mjs"), child: join(folder, "child.mjs"), bigTorch: await load("big-torch.mjs") };
}
