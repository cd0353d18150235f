// A user's view of the packed packages: every export loads in plain Node, every command starts, the declarations type-check
// strictly, and so does every TypeScript example of the documents.
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { codeExports, USER_FOLDER } from "./pack.mjs";
import { packages } from "./packages.mjs";
import { inRoot, tool } from "./root.mjs";
import { run } from "./run.mjs";

/** What a careful user sets. `skipLibCheck` stays off, so that our own declarations are checked too. */
const COMPILER_OPTIONS = {
  noEmit: true,
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  target: "es2022",
  lib: ["es2023", "dom", "dom.iterable", "dom.asynciterable"],
  module: "nodenext",
  types: ["node"],
};
const DOCUMENTS = [
  "README.md",
  "CONTRIBUTING.md",
  ...readdirSync(inRoot("apps/docs/pages")).flatMap((name) => (name.endsWith(".md") ? [`apps/docs/pages/${name}`] : [])),
];

/** Every import path of a packed package, such as `@ckptkit/formats/torch`. */
const importPaths = ({ name, manifest }) => codeExports(manifest).map((path) => name + path.slice(1));

/** Resolves to `{ code, output }`. */
export async function tryAsUser(packed) {
  const paths = packed.flatMap(importPaths);
  writeFileSync(`${USER_FOLDER}/package.json`, '{ "name": "user", "private": true, "type": "module" }\n');
  writeFileSync(`${USER_FOLDER}/load.js`, loadProgram(paths));
  linkDependencies(packed);
  for (const program of [["load.js"], ...packed.flatMap(binsOf).map((bin) => [bin, "--version"])]) {
    const { code, output } = await run([process.execPath, ...program], { cwd: USER_FOLDER, limitMs: 60_000 });
    if (code !== 0) return { code, output: `node ${program.join(" ")}\n${output}` };
  }

  writeFileSync(`${USER_FOLDER}/types.ts`, paths.map((path, index) => `export * as module${index} from "${path}";\n`).join(""));
  const examples = DOCUMENTS.flatMap(examplesOf);
  for (const { file, code } of examples) {
    mkdirSync(dirname(`${USER_FOLDER}/${file}`), { recursive: true });
    writeFileSync(`${USER_FOLDER}/${file}`, code);
  }
  mkdirSync(`${USER_FOLDER}/node_modules/@types`, { recursive: true });
  const nodeTypes = `${USER_FOLDER}/node_modules/@types/node`;
  if (!existsSync(nodeTypes)) symlinkSync(inRoot("node_modules", "@types", "node"), nodeTypes, "junction");
  writeFileSync(
    `${USER_FOLDER}/tsconfig.json`,
    JSON.stringify({ compilerOptions: COMPILER_OPTIONS, files: ["types.ts", ...examples.map(({ file }) => file)] }),
  );
  return run([...tool("typescript", "tsc"), "-p", "."], { cwd: USER_FOLDER, limitMs: 120_000 });
}

const binsOf = ({ name, manifest }) => Object.values(manifest.bin ?? {}).map((path) => `node_modules/${name}/${path}`);

/** Puts the packages' dependencies from elsewhere beside them, as an installer would: those that the packed manifests name, and no others. */
function linkDependencies(packed) {
  const ours = new Set(packed.map(({ name }) => name));
  for (const { folder, manifest } of packed) {
    for (const dependency of Object.keys(manifest.dependencies ?? {}).filter((name) => !ours.has(name))) {
      const link = `${USER_FOLDER}/node_modules/${dependency}`;
      mkdirSync(dirname(link), { recursive: true });
      if (!existsSync(link)) symlinkSync(realpathSync(inRoot(folder, "node_modules", dependency)), link, "junction");
    }
  }
}

const loadProgram = (paths) => `for (const path of ${JSON.stringify(paths)}) {
  const names = Object.keys(await import(path));
  if (names.length === 0) throw new Error(path + " exports nothing");
  console.log(path + ": " + names.length + " exports");
}
`;

/**
 * The \`\`\`ts blocks of a document and of the packages' READMEs, one file each, in one folder a document. A block whose first line is a
 * comment with a file name is that file, which others import.
 */
function examplesOf(document) {
  const files = document === DOCUMENTS[0] ? [document, ...packages().map(({ folder }) => `${folder}/${document}`)] : [document];
  return files
    .filter((file) => existsSync(inRoot(file)))
    .flatMap((file) =>
      [...readFileSync(inRoot(file), "utf8").matchAll(/^```ts(?: run)?\n(.*?)^```$/gms)].map(([, code], index) => ({
        file: `examples/${file.replaceAll("/", "-").toLowerCase()}/${/^\/\/ ([\w-]+\.ts)\n/.exec(code)?.[1] ?? `example-${index}.ts`}`,
        code: `${code}\nexport {};\n`,
      })),
    );
}
