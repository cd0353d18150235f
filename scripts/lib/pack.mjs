// Packs every publishable package as `pnpm publish` would, and unpacks it again into a folder like a user's.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join } from "node:path";
import { packages, publishable } from "./packages.mjs";
import { inRoot, readJson } from "./root.mjs";
import { run } from "./run.mjs";

/** A user's folder: `node_modules` holds the packed packages and nothing else. */
export const USER_FOLDER = inRoot(".cache", "packed");
const TARBALLS = inRoot(".cache", "tarballs");

/** Resolves to one `{ name, folder, tarball, installed, manifest }` a package; rejects when one cannot be packed. */
export async function packAll() {
  for (const folder of [USER_FOLDER, TARBALLS]) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
  }
  const packed = [];
  for (const { name, folder } of publishable()) {
    const tarball = `${TARBALLS}/${name.replace("@", "").replace("/", "-")}.tgz`;
    await must(["pnpm", "pack", "--out", tarball], { cwd: inRoot(folder), shell: process.platform === "win32" });
    const installed = `${USER_FOLDER}/node_modules/${name}`;
    mkdirSync(installed, { recursive: true });
    await must(["tar", "-xzf", tarball, "-C", installed, "--strip-components=1"]);
    packed.push({ name, folder, tarball, installed, manifest: readJson(`${installed}/package.json`) });
  }
  return packed;
}

/** Also the script of a worker: it is started by its address, and exports nothing. */
const isData = (path) => /\.(?:wasm|json|css|js)$/.test(path);

/** The exports of a manifest that are code, such as `./torch`. */
export const codeExports = ({ exports = {} }) => Object.keys(exports).filter((path) => !isData(path));

/** The exports of a manifest that are files to be fetched, such as `./kernels.wasm`. */
export const dataExports = ({ exports = {} }) => Object.keys(exports).filter(isData);

/**
 * What a user could not install or load: an unresolved workspace range, a dependency on a private package, or an import in
 * the packed code of something that the manifest does not name; and what no user needs: tests, sources, maps that lead nowhere.
 */
export function packingProblems({ name, installed, manifest }) {
  const unpublished = new Set(
    packages()
      .filter((entry) => entry.manifest.private)
      .map((entry) => entry.name),
  );
  const ranges = Object.entries({ ...manifest.dependencies, ...manifest.peerDependencies, ...manifest.optionalDependencies });
  const declared = new Set([name, ...ranges.map(([dependency]) => dependency)]);
  const undeclared = [...importedPackages(installed)].filter((imported) => !declared.has(imported));
  const problems = ranges.flatMap(([dependency, range]) => [
    ...(String(range).startsWith("workspace:") ? [`${name} depends on ${dependency} as ${range}`] : []),
    ...(unpublished.has(dependency) ? [`${name} depends on ${dependency}, which is private`] : []),
  ]);
  return [
    ...problems,
    ...undeclared.map((imported) => `${name} imports ${imported}, which is not among its dependencies`),
    ...contentProblems(installed).map((problem) => `${name} would publish ${problem}`),
  ];
}

const NOT_FOR_USERS = /(?:^|[/\\])(?:tests?|__tests__|node_modules)[/\\]|\.(?:test|spec|e2e)\.|\.tsbuildinfo$|(?<!\.d)\.ts$/;
const MAP_LINK = /^\/\/# sourceMappingURL=(?!data:)(\S+)/gm;

function contentProblems(installed) {
  return readdirSync(installed, { recursive: true })
    .map(String)
    .flatMap((file) => {
      if (NOT_FOR_USERS.test(file)) return [`${file}, which is of no use to users`];
      const from = dirname(join(installed, file));
      const absent = (paths) => paths.filter((path) => !existsSync(join(from, path)));
      if (file.endsWith(".map")) {
        const { sources, sourcesContent = [] } = readJson(join(installed, file));
        return absent(sources.filter((_, index) => typeof sourcesContent[index] !== "string")).map(
          (path) => `${file}, a map to ${path}, which is missing`,
        );
      }
      if (!/\.(?:js|d\.ts)$/.test(file)) return [];
      const links = [...readFileSync(join(installed, file), "utf8").matchAll(MAP_LINK)].map(([, path]) => path);
      return absent(links).map((path) => `${file}, which names the map ${path}, which is missing`);
    });
}

/** `from "x"`, `import "x"` or `import("x")` of another package, its name as npm allows it. */
const IMPORT = /(?:\bfrom\s*|\bimport\s*\(?\s*)"((?:@[a-z0-9-]+\/)?[a-z0-9][\w.-]*)(?:\/[\w./-]*)?"/g;

/** Names of the packages that the packed code and declarations import; Node's own modules are not packages. */
function importedPackages(installed) {
  const names = readdirSync(installed, { recursive: true })
    .map(String)
    .filter((file) => /\.(?:js|d\.ts)$/.test(file))
    .flatMap((file) => [...readFileSync(`${installed}/${file}`, "utf8").matchAll(IMPORT)])
    .map(([, name]) => name)
    .filter((name) => !isBuiltin(name));
  return new Set(names);
}

async function must(command, options) {
  const { code, output } = await run(command, { limitMs: 60_000, ...options });
  if (code !== 0) throw new Error(`${command.join(" ")} ended with code ${code}:\n${output}`);
}
