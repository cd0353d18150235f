import { readFile, realpath } from "node:fs/promises";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { CheckpointConfigError } from "@ckptkit/core";

/** A module of stages in an installed package: what `Catalog.load` of `@ckptkit/catalog` takes. */
export interface InstalledStageModule {
  /** The package's name, as `_target_` gives it: `my-stages#MySource`. */
  readonly name: string;
  /** @throws {CheckpointConfigError} INVALID_ARGUMENT when package.json does not say where the stages are, and what the module throws */
  load(): Promise<object>;
}

/** The part of a package.json that is read. */
interface Manifest {
  name?: unknown;
  ckptkit?: unknown;
  [dependencies: string]: unknown;
}

const DEPENDENCY_FIELDS = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"];

/**
 * The modules of stages that the project around a folder has: those of its own package.json and of the packages that it depends on,
 * each named by a field `"ckptkit": {"stages": ["./dist/stages.js"]}`. Modules are imported when they are loaded. Packages without the
 * field, or that are not installed, are passed over.
 *
 * @param folder where the search for package.json begins; it goes on in the folders above.
 * @example const catalog = await Catalog.load([...OWN_MODULES, ...(await installedStageModules(process.cwd()))]);
 */
export async function installedStageModules(folder: string): Promise<InstalledStageModule[]> {
  const project = await nearestManifest(resolve(folder));
  if (!project) return [];
  const names = DEPENDENCY_FIELDS.flatMap((field) => {
    const packages = project.manifest[field];
    return typeof packages === "object" && packages !== null ? Object.keys(packages) : [];
  });
  const modules = modulesOf(project, "this project");
  for (const name of [...new Set(names)].sort()) {
    const found = await installedPackage(project.folder, name);
    if (found) modules.push(...modulesOf(found, name));
  }
  return modules;
}

interface Package {
  folder: string;
  manifest: Manifest;
}

async function nearestManifest(folder: string): Promise<Package | undefined> {
  for (let at = folder; ; at = dirname(at)) {
    const manifest = await readManifest(at);
    if (manifest) return { folder: at, manifest };
    if (dirname(at) === at) return undefined;
  }
}

/** Looks where Node looks: a package's own `exports` may hide its package.json from the resolver. */
async function installedPackage(from: string, name: string): Promise<Package | undefined> {
  for (let at = from; ; at = dirname(at)) {
    const folder = join(at, "node_modules", name);
    const manifest = await readManifest(folder);
    if (manifest) return { folder, manifest };
    if (dirname(at) === at) return undefined;
  }
}

/** Undefined when there is none, or none that can be read. */
async function readManifest(folder: string): Promise<Manifest | undefined> {
  try {
    const manifest: unknown = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    return typeof manifest === "object" && manifest !== null ? (manifest as Manifest) : undefined; // every field is checked where it is used
  } catch {
    return undefined;
  }
}

function modulesOf({ folder, manifest }: Package, fallback: string): InstalledStageModule[] {
  const { ckptkit } = manifest;
  if (ckptkit === undefined) return [];
  const name = typeof manifest.name === "string" ? manifest.name : fallback;
  const stages = typeof ckptkit === "object" && ckptkit !== null && "stages" in ckptkit ? ckptkit.stages : undefined;
  const files: unknown[] = Array.isArray(stages) ? stages : [stages];
  return files.map((file) => ({ name, load: () => importWithin(folder, file, name) }));
}

/** Imports a file of a package: one within its folder, so that a package names only what it brought. */
async function importWithin(folder: string, file: unknown, name: string): Promise<object> {
  if (typeof file !== "string" || file === "") throw badField(folder, name, 'a list of files was expected in "ckptkit": {"stages": [...]}');
  const root = await realpath(folder);
  const path = await realpath(resolve(root, file)).catch(() => undefined);
  if (path === undefined) throw badField(folder, name, `there is no file ${file}`);
  const within = relative(root, path);
  if (within.startsWith("..") || isAbsolute(within)) throw badField(folder, name, `${file} is outside the package`);
  const loaded: unknown = await import(pathToFileURL(path).href);
  return loaded as object; // a module's namespace
}

function badField(folder: string, name: string, why: string): CheckpointConfigError {
  return new CheckpointConfigError("INVALID_ARGUMENT", `${why} (${join(folder, "package.json")}).`, {
    details: { package: name, folder },
    suggestions: ['For example: "ckptkit": {"stages": ["./dist/stages.js"]}'],
  });
}
