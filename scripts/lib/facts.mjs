// The end of every package's README: what the package weighs, from the packed package itself, and where more is.
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { codeExports } from "./pack.mjs";
import { inRoot, readJson } from "./root.mjs";

const BLOCK = /<!-- facts: made by `pnpm facts` -->\n[\s\S]*?<!-- \/facts -->\n/;
/** Sizes are told in steps, and may drift by this much before a README is out of date: not every change is one of the README. */
const TOLERANCE = 0.2;
const SIZE = /\d+(?= kB)/g;

/** Writes the facts of packed packages into their READMEs, where they are out of date; resolves to the files that changed. */
export async function writeFacts(packed) {
  const changed = [];
  for (const { file, text, block } of await facts(packed)) {
    const next = BLOCK.test(text) ? text.replace(BLOCK, () => block) : `${text.trimEnd()}\n\n${block}`;
    if (isCurrent(text, block)) continue;
    writeFileSync(inRoot(file), next);
    changed.push(file);
  }
  return changed;
}

/** READMEs whose facts are out of date, as lines. */
export async function outdatedFacts(packed) {
  const stale = (await facts(packed)).filter(({ text, block }) => !isCurrent(text, block));
  return stale.map(({ file, block }) => `${file}: its facts are out of date (\`pnpm facts\` writes them anew). Now:\n${block}`);
}

async function facts(packed) {
  const done = [];
  for (const entry of packed) {
    const file = `${entry.folder}/README.md`;
    done.push({ file, text: readFileSync(inRoot(file), "utf8"), block: await blockOf(entry) });
  }
  return done;
}

/** The same words, and sizes that are near enough. */
function isCurrent(text, block) {
  const [old] = BLOCK.exec(text) ?? [];
  if (old === undefined || old.replace(SIZE, "N") !== block.replace(SIZE, "N")) return false;
  const now = [...block.matchAll(SIZE)].map(Number);
  return [...old.matchAll(SIZE)].every(([size], index) => Math.abs(Number(size) - now[index]) <= Math.max(2, now[index] * TOLERANCE));
}

async function blockOf({ name, folder, manifest, tarball, installed }) {
  const files = readdirSync(installed, { recursive: true }).map((file) => join(installed, String(file)));
  const bytes = files.reduce((sum, file) => sum + (statSync(file).isFile() ? statSync(file).size : 0), 0);
  const sizes = [`${kB(statSync(tarball).size)} to download`, `${kB(bytes)} installed`];
  const bundle = await bundled(name, manifest);
  if (bundle !== undefined) sizes.push(`${kB(bundle)} in a page with all that its main entry exports and needs (minified, gzip)`);
  const { repository } = readJson(inRoot("package.json"));
  const page = repository.url.replace(/^git\+/, "").replace(/\.git$/, "");
  const links = [
    `[source](${page}/tree/main/${folder})`,
    `[how it is built](${page}/blob/main/ARCHITECTURE.md)`,
    `[issues](${page}/issues)`,
    `[security](${page}/blob/main/SECURITY.md)`,
  ];
  return `<!-- facts: made by \`pnpm facts\` -->\n${sizes.join(", ")}.\n\n${links.join(" · ")} · Apache-2.0\n<!-- /facts -->\n`;
}

/** Bytes of a page's bundle; undefined for what is not for pages. */
async function bundled(name, manifest) {
  if (manifest.bin || !codeExports(manifest).includes(".") || name === "@ckptkit/node") return undefined;
  const { outputFiles } = await build({
    stdin: { contents: `export * from ${JSON.stringify(name)};`, resolveDir: inRoot(".cache", "packed"), sourcefile: "entry.js" },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    // A user's dependencies from elsewhere lie in this repository.
    nodePaths: [inRoot("packages", "catalog", "node_modules"), inRoot("packages", "remote", "node_modules")],
    write: false,
    logLevel: "silent",
  });
  return gzipSync(outputFiles[0].contents, { level: 9 }).length;
}

/** In steps that do not move with every change: two digits. */
function kB(bytes) {
  const size = bytes / 1000;
  const step = size < 10 ? 1 : 10 ** (Math.floor(Math.log10(size)) - 1);
  return `${Math.max(1, Math.round(size / step) * step)} kB`;
}
