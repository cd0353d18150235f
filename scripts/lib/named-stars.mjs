// `export * from "./x.js"` of a built package becomes a star over a small file that names what x.js has.
//
// esbuild without code splitting starts a module that is also reached by `import()` when it is first asked for. It is not asked for by a name that came
// through a star of a package without side effects: a class is then `undefined` until something else has started its module. Through a named export it is.
// Names in the barrel itself would mend it too, but where code is split each name taken from such a barrel is an import of all files it names.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

const STAR = /^export \* from "(\.[^"]+)";\n/gm;
const LIST = /^export \{([^}]*)\}(?: from "[^"]+")?;$/gm;

/** The names that a built file exports, with those it has from stars. */
function namesOf(file) {
  const text = readFileSync(file, "utf8");
  const own = [...text.matchAll(LIST)].flatMap(([, list]) =>
    list.split(",").map((item) =>
      item
        .trim()
        .split(/\s+as\s+/)
        .at(-1),
    ),
  );
  const passed = [...text.matchAll(STAR)].flatMap(([, path]) => namesOf(join(dirname(file), path)));
  return [...new Set([...own, ...passed])].filter((name) => name !== "" && name !== "default").sort();
}

/** Writes the small files, beside what they name, for all stars of these built files. */
export function nameStars(files) {
  const named = new Map();
  const nameAll = (file) => (_line, path) => {
    const target = join(dirname(file), path);
    if (!named.has(target)) named.set(target, namesOf(target));
    if (named.get(target).length === 0) return "";
    return `export * from "${path.replace(/\.js$/, ".names.js")}";\n`;
  };
  const texts = files.map((file) => [file, readFileSync(file, "utf8").replace(STAR, nameAll(file))]);
  for (const [file, text] of texts) writeFileSync(file, text);
  for (const [target, names] of named) {
    const path = `./${relative(dirname(target), target)}`;
    if (names.length > 0) writeFileSync(target.replace(/\.js$/, ".names.js"), `export { ${names.join(", ")} } from "${path}";\n`);
  }
}
