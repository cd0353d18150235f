// A user's TypeScript over all packages: every export path and every README, strictly, and with our declarations checked too. The project
// is installed by pnpm, so that each package sees its own dependencies and no others.
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { codeExports } from "../pack.mjs";
import { inProject, newProject } from "./consumer.mjs";
import { NODES, TYPESCRIPTS } from "./tools.mjs";

const RESOLUTIONS = {
  node16: { module: "node16", moduleResolution: "node16" },
  nodenext: { module: "nodenext", moduleResolution: "nodenext" },
  bundler: { module: "esnext", moduleResolution: "bundler" },
};
const OPTIONS = {
  noEmit: true,
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  target: "es2022",
  lib: ["es2023", "dom", "dom.iterable", "dom.asynciterable"],
  types: ["node"],
};

/** Resolves to one row a TypeScript, with one cell a way to resolve modules. */
export async function typeRows(world, rows, sideBySide) {
  const { tools } = world;
  const project = await newProject(world, "types");
  const node = tools.node(NODES.at(-1)) ?? process.execPath;
  const packages = [...new Set(rows.flatMap(({ readme }) => readme.packages))];
  const install = await inProject(world, project, [tools.pnpm, "add", ...packages], { node });
  if (install.code !== 0) throw new Error(`The project of the type checks could not be installed:\n${install.output}`);
  mkdirSync(join(project, "node_modules", "@types"), { recursive: true });
  for (const name of ["@types/node", "undici-types"]) {
    cpSync(join(tools.modules, name), join(project, "node_modules", name), { recursive: true });
  }
  const paths = rows.flatMap(({ entry }) => codeExports(entry.manifest).map((path) => entry.name + path.slice(1)));
  writeFileSync(join(project, "exports.ts"), paths.map((path, index) => `export * as module${index} from "${path}";\n`).join(""));
  const files = ["exports.ts"];
  for (const { entry, readme } of rows.filter(({ readme }) => readme.language === "ts")) {
    const file = `readme-${entry.folder.replace("/", "-")}.ts`;
    writeFileSync(join(project, file), `${readme.program}\nexport {};\n`);
    files.push(file);
  }
  const tasks = TYPESCRIPTS.flatMap((version) =>
    Object.entries(RESOLUTIONS).map(([title, resolution]) => async () => {
      const config = `tsconfig-${version}-${title}.json`;
      writeFileSync(join(project, config), JSON.stringify({ compilerOptions: { ...OPTIONS, ...resolution }, files }));
      const { code, output } = await inProject(world, project, [node, tools.typescript(version), "-p", config], { node });
      return code === 0 ? { title, mark: "ok" } : { title, mark: "FAIL", note: `tsc ended with code ${code}`, trouble: output };
    }),
  );
  const cells = await sideBySide(tasks);
  const wide = Object.keys(RESOLUTIONS).length;
  return TYPESCRIPTS.map((version, index) => ({ name: `TypeScript ${version}`, cells: cells.slice(index * wide, (index + 1) * wide) }));
}
