// A user's project: a folder outside of this repository with the files that the READMEs speak of, and a package manager's settings.
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { transform } from "esbuild";
import { inRoot } from "../root.mjs";
import { run } from "../run.mjs";

const CHECKPOINT = "fixtures/files/vit-tiny.ckpt";
/** The names that the READMEs give to a user's checkpoint. */
const NAMES = ["model.ckpt", "last.ckpt"];
const LIMIT_MS = 240_000;

/**
 * What the users of the matrix share: a folder, the registry, the address of the server that stands for all others, and an
 * environment that knows nothing of this machine's own settings.
 */
export function newWorld({ folder, registry, internet, tools }) {
  const kept = ["PATH", "TMPDIR", "TEMP", "TMP", "LANG", "SystemRoot", "APPDATA", "LOCALAPPDATA", "NODE_EXTRA_CA_CERTS"];
  const cache = (name) => join(folder, "caches", name);
  const env = {
    ...Object.fromEntries(kept.filter((name) => process.env[name] !== undefined).map((name) => [name, process.env[name]])),
    HOME: join(folder, "home"),
    USERPROFILE: join(folder, "home"),
    CI: "true",
    NO_COLOR: "1",
    DO_NOT_TRACK: "1",
    npm_config_registry: registry,
    npm_config_cache: cache("npm"),
    npm_config_audit: "false",
    npm_config_fund: "false",
    npm_config_update_notifier: "false",
    YARN_GLOBAL_FOLDER: cache("yarn"),
    YARN_ENABLE_TELEMETRY: "0",
    BUN_INSTALL_CACHE_DIR: cache("bun"),
    DENO_DIR: cache("deno"),
    DENO_NO_UPDATE_CHECK: "1",
  };
  mkdirSync(env.HOME, { recursive: true });
  writeFileSync(join(env.HOME, ".npmrc"), npmrc(registry));
  return { folder, registry, internet, tools, env };
}

const npmrc = (registry) => `registry=${registry}\n//${new URL(registry).host}/:_authToken=nobody\n`;

/** Makes an empty project; resolves to its folder. */
export async function newProject(world, name, { type = "module" } = {}) {
  const project = join(world.folder, "projects", name);
  rmSync(project, { recursive: true, force: true });
  mkdirSync(project, { recursive: true });
  const write = (file, text) => writeFileSync(join(project, file), text);
  write("package.json", `${JSON.stringify({ name: "user", version: "1.0.0", private: true, type }, null, 2)}\n`);
  write(".npmrc", npmrc(world.registry));
  // What was published a minute ago is what we are after.
  write("pnpm-workspace.yaml", `storeDir: ${JSON.stringify(join(world.folder, "caches", "pnpm"))}\nminimumReleaseAge: 0\n`);
  const yarn = {
    npmRegistryServer: world.registry,
    unsafeHttpWhitelist: ["127.0.0.1"],
    npmMinimalAgeGate: 0,
    enableImmutableInstalls: false,
  };
  write(".yarnrc.yml", JSON.stringify(yarn));
  write("yarn.lock", "");
  write("network.mjs", networkModule(world.internet));
  for (const file of NAMES) copyFileSync(inRoot(CHECKPOINT), join(project, file));
  return project;
}

/** Writes the README's program, its types stripped, and a program that loads every export of the package. */
export async function writePrograms(project, { program, language, page }, paths) {
  const load = `for (const path of ${JSON.stringify(paths)}) {
  const names = Object.keys(await import(path));
  if (names.length === 0) throw new Error(path + " exports nothing");
  console.log(path + ": " + names.length + " exports");
}
`;
  writeFileSync(join(project, "load.mjs"), load);
  if (program === undefined) return;
  const { code } = await transform(program, { loader: language, format: "esm", target: "es2022" });
  writeFileSync(join(project, "readme.mjs"), code);
  if (!page) writeFileSync(join(project, "run-readme.mjs"), 'import "./network.mjs";\nawait import("./readme.mjs");\n');
}

/** Runs a program in a project with one Node first on PATH. */
export function inProject(world, project, command, { node, env = {} } = {}) {
  const path = [...(node ? [dirname(node)] : []), join(project, "node_modules", ".bin"), world.env.PATH].join(delimiter);
  return run(command, { cwd: project, env: { ...world.env, PATH: path, ...env }, limitMs: LIMIT_MS, log: join(world.folder, "log.txt") });
}

/** The addresses that READMEs use as examples are nobody's; here a server on this machine answers for all of them. */
const networkModule = (internet) => `const { fetch: real } = globalThis;
globalThis.fetch = (input, init) => {
  const url = new URL(input instanceof Request ? input.url : input);
  const local = new URL(url.pathname, ${JSON.stringify(internet)});
  return input instanceof Request ? real(new Request(local, input), init) : real(local, init);
};
`;
