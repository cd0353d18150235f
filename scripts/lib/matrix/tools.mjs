// What the matrix is made of: Node, package managers, other runtimes, TypeScript and Rollup in the versions that users have. They come
// from the npm registry into .cache, once, and are no dependencies of this repository.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { inRoot, readJson } from "../root.mjs";
import { run, tail } from "../run.mjs";
import { StepFailed } from "../steps.mjs";

/** The Node versions that `engines` promises: the oldest that is maintained, to the newest. */
export const NODES = ["20", "22", "24"];
export const TYPESCRIPTS = ["5.6", "5.9", "6", "7"];

const PLATFORM = { linux: "linux", darwin: "darwin", win32: "win" }[process.platform];
const ARCH = process.arch;
const MUSL = process.report?.getReport().header.glibcVersionRuntime === undefined && process.platform === "linux";

const VERDACCIO = "6.10.4";
const NPM = "11";
const OVERRIDES = { "node-fetch": "2.7.0" };
/** The oldest Node that verdaccio starts on. */
const VERDACCIO_NODE = "22";

const ALL = {
  name: "ckptkit-matrix-tools",
  private: true,
  dependencies: {
    ...Object.fromEntries(TYPESCRIPTS.map((version) => [`typescript-${version}`, `npm:typescript@${version}`])),
    "@rollup/plugin-commonjs": "29.0.3",
    "@rollup/plugin-node-resolve": "16.0.3",
    "@types/node": "20",
    "@yarnpkg/cli-dist": "4.18.1",
    npm: NPM,
    pnpm: readJson(inRoot("package.json")).packageManager.split("@")[1],
    rollup: "4.68.7",
    verdaccio: VERDACCIO,
  },
  // What a platform may lack: its cells then say so.
  optionalDependencies: {
    ...Object.fromEntries(NODES.map((major) => [`node-${major}`, `npm:node-${PLATFORM}-${ARCH}@${major}`])),
    bun: "1.4.5",
    deno: "2.9.6",
  },
  overrides: OVERRIDES,
};

/** What a registry and npm on the running Node need. */
const FEW = {
  name: "ckptkit-matrix-few-tools",
  private: true,
  dependencies: { npm: NPM, verdaccio: VERDACCIO },
  optionalDependencies:
    Number.parseInt(process.versions.node, 10) < Number(VERDACCIO_NODE)
      ? { [`node-${VERDACCIO_NODE}`]: `npm:node-${PLATFORM}-${ARCH}@${VERDACCIO_NODE}` }
      : {},
  overrides: OVERRIDES,
};

/** Installs the tools where they are not there yet; resolves to where each is. `quick` takes a registry and npm alone. */
export async function getTools({ quick = false } = {}) {
  const folder = inRoot(".cache", "matrix", quick ? "few-tools" : "tools");
  await install(folder, quick ? FEW : ALL);
  const inTools = (...parts) => join(folder, "node_modules", ...parts);
  const binOf = (name, bin = name) => {
    const { bin: bins } = readJson(inTools(name, "package.json"));
    return join(dirname(inTools(name, "package.json")), typeof bins === "string" ? bins : bins[bin]);
  };
  const node = (major) => present(inTools(`node-${major}`, "bin", executable("node"))) ?? thisNode(major);
  const few = {
    modules: inTools(),
    npm: inTools("npm", "bin", "npm-cli.js"),
    verdaccio: binOf("verdaccio"),
    verdaccioNode: node(VERDACCIO_NODE) ?? process.execPath,
    node,
  };
  if (quick) return few;
  return {
    ...few,
    pnpm: present(inTools("@pnpm", pnpmPackage(), executable("pnpm"))),
    yarn: binOf("@yarnpkg/cli-dist", "yarn"),
    typescript: (version) => binOf(`typescript-${version}`, "tsc"),
    bun: present(inTools("@oven", `bun-${{ win: "windows" }[PLATFORM] ?? PLATFORM}-${bunArch()}`, "bin", executable("bun"))),
    deno: present(inTools("@deno", denoPackage(), executable("deno"))),
  };
}

async function install(folder, manifest) {
  mkdirSync(folder, { recursive: true });
  const text = JSON.stringify(manifest, null, 2);
  const marker = join(folder, "installed");
  if (existsSync(marker) && readFileSync(marker, "utf8") === text) return;
  writeFileSync(join(folder, "package.json"), text);
  // Without scripts: what a tool brings as a binary lies in a package of its own.
  const { code, output } = await run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: folder,
    shell: process.platform === "win32",
    limitMs: 600_000,
  });
  if (code !== 0) throw new StepFailed(`The tools of the matrix could not be installed.\n\n${tail(output)}`);
  writeFileSync(marker, text);
}

const executable = (name) => (process.platform === "win32" ? `${name}.exe` : name);
const present = (path) => (existsSync(path) ? path : undefined);
const thisNode = (major) => (process.versions.node.split(".")[0] === major ? process.execPath : undefined);
const bunArch = () => `${ARCH === "arm64" ? "aarch64" : ARCH}${MUSL ? "-musl" : ""}`;
const pnpmPackage = () => `exe.${process.platform}-${ARCH}${MUSL ? "-musl" : ""}`;
const denoPackage = () => ({ linux: `linux-${ARCH}-glibc`, darwin: `darwin-${ARCH}`, win: `win32-${ARCH}` })[PLATFORM];
