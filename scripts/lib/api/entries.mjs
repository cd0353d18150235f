// The entries of the published packages: what can be imported, and the built declarations of it.
import { codeExports } from "../pack.mjs";
import { publishable } from "../packages.mjs";
import { inRoot } from "../root.mjs";

/** The whole in one file for pages without a build: it passes on what the other entries report, so its names are enough. */
const NAMES_ONLY = new Set(["@ckptkit/browser/bundle"]);

/** Every import path as `{ path, package, declarations, report }`; `report` is its file in `etc/api`, relative to the root. */
export function entries() {
  return publishable().flatMap(({ name, folder, manifest }) => {
    const published = manifest.publishConfig?.exports ?? {};
    return codeExports({ exports: published }).map((subpath) => ({
      path: name + subpath.slice(1),
      package: name,
      namesOnly: NAMES_ONLY.has(name + subpath.slice(1)),
      declarations: inRoot(folder, published[subpath].types),
      report: `etc/api/${name.replace("@ckptkit/", "")}/${subpath === "." ? "index" : subpath.slice(2).replaceAll("/", "-")}.api.md`,
    }));
  });
}
