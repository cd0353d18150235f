// The packages of others that come with ours, found by walking what is installed from the published manifests on.
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { packages, publishable } from "./packages.mjs";
import { inRoot, readJson } from "./root.mjs";

/** Licences under which code may be shipped together with code under Apache-2.0, without asking more of our users than a notice. */
const ALLOWED = new Set(["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BlueOak-1.0.0", "CC0-1.0", "ISC", "MIT", "Unlicense"]);
const NOTICES = "THIRD-PARTY-NOTICES.md";

/** Every package of others that is installed with ours, as `{ name, version, licence, by }`; optional peers are the user's own choice. */
export function shipped() {
  const ours = new Set(packages().map(({ name }) => name));
  const found = new Map();
  const visit = (name, from, by) => {
    const folder = installed(name, from);
    if (folder === undefined) throw new Error(`${name} is a dependency of ${from} and is not installed. \`pnpm install\` does that.`);
    const { version, license, licenses, dependencies = {}, optionalDependencies = {} } = readJson(join(folder, "package.json"));
    const known = found.get(folder);
    if (known) return void known.by.add(by);
    found.set(folder, { name, version, licence: String(license ?? licenses?.[0]?.type ?? "none"), by: new Set([by]) });
    for (const dependency of Object.keys(dependencies)) if (!(dependency in optionalDependencies)) visit(dependency, folder, by);
  };
  for (const { name, folder, manifest } of publishable()) {
    for (const dependency of Object.keys(manifest.dependencies ?? {})) if (!ours.has(dependency)) visit(dependency, inRoot(folder), name);
  }
  return [...found.values()].sort((a, b) => a.name.localeCompare(b.name));
}

/** Licences that do not go with ours, and copies without their notice, as lines. */
export function licenceProblems() {
  const unfit = shipped().filter(({ licence }) => !choices(licence).some((choice) => ALLOWED.has(choice)));
  return [
    ...unfit.map(({ name, version, licence, by }) => `${name} ${version}, which ${[...by].join(", ")} needs, is under ${licence}`),
    ...copied().flatMap(({ folder, names }) => {
      const file = inRoot(folder, NOTICES);
      const text = existsSync(file) ? readFileSync(file, "utf8") : "";
      return names
        .filter((name) => !text.includes(`## ${name} (`))
        .map((name) => `${folder}/${NOTICES} does not name ${name}, which is copied into the build`);
    }),
  ];
}

/** "(MIT OR GPL-2.0)" leaves the choice. */
const choices = (licence) => licence.replace(/[()]/g, "").split(" OR ");

/** What bundles take along: dependencies of our packages that the bundling package does not leave to be installed. */
function copied() {
  const byName = new Map(packages().map((entry) => [entry.name, entry]));
  const bundling = publishable().filter(({ manifest }) => manifest.bin || manifest.unpkg);
  return bundling.map(({ folder, manifest }) => {
    const left = new Set(manifest.bin ? Object.keys(manifest.dependencies ?? {}) : []);
    const names = new Set();
    const seen = new Set();
    const visit = (name) => {
      const own = byName.get(name);
      if (!own) return void (left.has(name) || names.add(name));
      if (seen.has(name) || own.manifest.private) return;
      seen.add(name);
      for (const dependency of Object.keys(own.manifest.dependencies ?? {})) visit(dependency);
    };
    const roots = manifest.bin
      ? Object.keys(manifest.devDependencies ?? {}).filter((name) => byName.has(name))
      : Object.keys(manifest.dependencies ?? {});
    for (const name of roots) visit(name);
    return { folder, names: [...names].sort() };
  });
}

/** The folder of a dependency, where Node looks for it from `from`. */
function installed(name, from) {
  for (let folder = realpathSync(from); ; folder = dirname(folder)) {
    const candidate = join(folder, "node_modules", name);
    if (existsSync(candidate)) return realpathSync(candidate);
    if (dirname(folder) === folder) return undefined;
  }
}
