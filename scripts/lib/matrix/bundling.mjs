// The README's program of each package through each bundler, without configuration beyond where it is to run. A bundle prints what the
// program prints without a bundler; one for a page is opened in Chromium.
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { publishable } from "../packages.mjs";
import { inRoot } from "../root.mjs";
import { inProject } from "./consumer.mjs";
import { dropOnPage } from "./page.mjs";

const NODE_TARGET = "node20";
/** What esbuild's own documents say for ES modules for Node that take CommonJS along, as `yaml` is. */
const REQUIRE = 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';

/** Each builds `entry` into `target`/bundle.js, for Node or for browsers. They run in processes of their own: see `bundleCell`. */
const BUILDS = {
  vite: ({ project, entry, target, node }) => `
    import { build } from ${at("vite")};
    const output = { entryFileNames: "bundle.js" };
    await build({
      root: ${text(project)}, configFile: false, logLevel: "error",
      ...(${node} ? { ssr: { noExternal: true } } : {}),
      build: { outDir: ${text(target)}, emptyOutDir: false, target: "es2022", ...(${node}
        ? { ssr: ${text(entry)}, rollupOptions: { output } }
        : { lib: { entry: ${text(entry)}, formats: ["es"], fileName: () => "bundle.js" } }) },
    });`,
  webpack: ({ project, entry, target, node }) => `
    import webpack from ${at("webpack")};
    const options = {
      mode: "production", context: ${text(project)}, entry: ${text(`./${entry}`)}, target: ${node ? text(NODE_TARGET) : '["web", "es2022"]'},
      output: { path: ${text(target)}, filename: "bundle.js", module: true, chunkFormat: "module" }, experiments: { outputModule: true },
    };
    const stats = await new Promise((resolve, reject) => webpack(options, (error, result) => (error ? reject(error) : resolve(result))));
    if (stats.hasErrors()) throw new Error(stats.toString({ all: false, errors: true }));`,
  esbuild: ({ project, entry, target, node }) => `
    import { build } from ${at("esbuild")};
    await build({
      absWorkingDir: ${text(project)}, entryPoints: { bundle: ${text(entry)} }, outdir: ${text(target)}, bundle: true, minify: true, splitting: true,
      format: "esm", platform: ${node ? '"node"' : '"browser"'}, target: "es2022", logLevel: "silent",
      ${node ? `banner: { js: ${text(REQUIRE)} },` : ""}
    });`,
  rollup: ({ project, entry, target, node, tools }) => `
    import { rollup } from ${text(pathToFileURL(join(tools.modules, "rollup/dist/es/rollup.js")).href)};
    import { builtinModules } from "node:module";
    import commonjs from ${text(pathToFileURL(join(tools.modules, "@rollup/plugin-commonjs/dist/es/index.js")).href)};
    import { nodeResolve } from ${text(pathToFileURL(join(tools.modules, "@rollup/plugin-node-resolve/dist/es/index.js")).href)};
    const bundle = await rollup({
      input: { bundle: ${text(join(project, entry))} }, external: [${node ? "/^node:/, ...builtinModules, " : ""}...${text(optionalPeers())}],
      plugins: [nodeResolve({ browser: ${!node}, preferBuiltins: ${node}, exportConditions: [${node ? '"node"' : ""}] }), commonjs()],
      onwarn: ({ code, message }) => { if (["UNRESOLVED_IMPORT", "MISSING_EXPORT"].includes(code)) throw new Error(message); },
    });
    await bundle.write({ dir: ${text(target)}, format: "es" });`,
};

/** The columns of the bundlers. */
export const bundleColumns = () => Object.keys(BUILDS).map((title) => ({ title }));

/** Bundles the program of one row and runs the bundle. */
export async function bundleCell(world, { title }, { entry, readme, cells }) {
  if (entry.manifest.bin) return { mark: "-", note: "is a command, and not a library to bundle" };
  const plain = cells.find((cell) => cell.project !== undefined);
  if (!plain) return { mark: "FAIL", note: "nothing is installed to bundle" };
  const target = join(plain.project, `by-${title}`);
  mkdirSync(target);
  for (const name of ["network.mjs", "model.ckpt", "last.ckpt"]) copyFileSync(join(plain.project, name), join(target, name));
  const job = { project: plain.project, entry: "readme.mjs", target, node: readme.node, tools: world.tools };
  // In a process of its own: bundlers take the current folder for the project's.
  writeFileSync(join(target, "build.mjs"), BUILDS[title](job));
  const built = await inProject(world, plain.project, [process.execPath, join(target, "build.mjs")]);
  if (built.code !== 0) return { mark: "FAIL", note: "the bundle could not be made", trouble: built.output };
  if (readme.page) return dropOnPage(target);
  writeFileSync(join(target, "run-bundle.mjs"), 'import "./network.mjs";\nawait import("./bundle.js");\n');
  const { code, output } = await inProject(world, target, [process.execPath, "run-bundle.mjs"]);
  if (code !== 0) return { mark: "FAIL", note: `the bundle ended with code ${code}`, trouble: output };
  if (output !== plain.output)
    return { mark: "FAIL", note: "the bundle prints something else", trouble: `${plain.output}\n---\n${output}` };
  return { mark: "ok" };
}

/** What a user may leave out, and a program then does without. */
const optionalPeers = () =>
  publishable().flatMap(({ manifest }) =>
    Object.entries(manifest.peerDependenciesMeta ?? {}).flatMap(([name, { optional }]) => (optional ? [name] : [])),
  );

const text = (value) => JSON.stringify(value);
const require = createRequire(inRoot("package.json"));

/** A bundler of this repository, as an address to import. */
function at(name) {
  const manifest = require(`${name}/package.json`);
  const found = manifest.exports?.["."]?.import ?? manifest.exports?.["."] ?? manifest.main;
  const path = typeof found === "string" ? found : (found.default ?? manifest.main);
  return text(pathToFileURL(inRoot("node_modules", name, path)).href);
}
