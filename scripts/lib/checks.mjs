// The checks beside the tests. Each counts as one test: `work` resolves to `{ code, output }`.
import { outdatedReports } from "./api/check.mjs";
import { tryInBrowser } from "./browser-programs.mjs";
import { outdatedFacts } from "./facts.mjs";
import { brokenHouseRules } from "./house-rules.mjs";
import { pictureProblems } from "./imports-picture.mjs";
import { licenceProblems } from "./licences.mjs";
import { manifestProblems } from "./manifests.mjs";
import { tryScaffolds } from "./new/try.mjs";
import { dataExports, packAll, packingProblems } from "./pack.mjs";
import { publishable } from "./packages.mjs";
import { rehearseRelease } from "./release.mjs";
import { inRoot, tool } from "./root.mjs";
import { run } from "./run.mjs";
import { tryAsUser } from "./user-program.mjs";

const LIMIT_MS = 180_000;
const command =
  (...parts) =>
  () =>
    run(parts.flat(), { limitMs: LIMIT_MS });
const lines = (problems) => ({ code: problems.length > 0 ? 1 : 0, output: problems.join("\n") });

/** Checks that read the source only. */
export const SOURCE_CHECKS = [
  { name: "types (tsc)", work: command(tool("typescript", "tsc"), "-p", "tsconfig.json") },
  {
    name: "types of the site (vue-tsc)",
    work: command(process.execPath, inRoot("apps/docs/node_modules/vue-tsc/bin/vue-tsc.js"), "-p", "apps/docs/tsconfig.json"),
  },
  { name: "format and lint (biome)", work: command(tool("@biomejs/biome", "biome"), "ci", "--colors=off", "--error-on-warnings", ".") },
  {
    name: "imports (dependency-cruiser)",
    work: command(
      tool("dependency-cruiser", "depcruise"),
      "--config",
      ".dependency-cruiser.mjs",
      "--output-type",
      "err-long",
      "wasm",
      "packages",
      "scripts",
    ),
  },
  { name: "unused code (knip)", work: command(tool("knip"), "--no-progress") },
  { name: "house rules", work: async () => lines(brokenHouseRules()) },
  { name: "manifests and heads of READMEs", work: async () => lines(manifestProblems()) },
  { name: "picture of the imports", work: async () => lines(pictureProblems()) },
  { name: "licences", work: async () => lines(licenceProblems()) },
  { name: "scaffolds (pnpm new)", work: tryScaffolds },
  { name: "release rehearsal (changesets)", work: rehearseRelease },
];

/** Checks of what would be published; they need the build, and each other's work in this order. */
export function packedChecks() {
  let packed = [];
  return [
    {
      name: "pack",
      work: async () => {
        packed = await packAll();
        return lines(packed.flatMap(packingProblems));
      },
    },
    { name: "API reports", work: async () => lines(outdatedReports()) },
    { name: "sizes in READMEs", work: async () => lines(await outdatedFacts(packed)) },
    {
      name: "published files (publint)",
      work: () => each(packed, ({ tarball }) => run([...tool("publint"), "run", tarball, "--strict"], { limitMs: LIMIT_MS })),
    },
    {
      name: "published types (attw)",
      work: () =>
        each(
          packed.filter(({ manifest }) => manifest.exports),
          ({ tarball, manifest }) =>
            run([...tool("@arethetypeswrong/cli", "attw"), tarball, ...attwFlags(manifest)], { limitMs: LIMIT_MS }),
        ),
    },
    { name: "packed packages in a user's program", work: () => tryAsUser(packed) },
    {
      name: "published to a registry, installed by npm, used (verdaccio)",
      work: command(process.execPath, inRoot("scripts", "matrix.mjs"), "--quick", "--only=@ckptkit/node,ckptkit"),
    },
    { name: "packed packages in a user's pages (Vite, webpack, esbuild, one file)", work: tryInBrowser },
    { name: "bundles hold what they should", work: async () => lines(await (await import("./bundles.mjs")).buildBundles()) },
    { name: "bundle sizes (size-limit)", work: command(tool("size-limit")) },
  ];
}

function attwFlags(manifest) {
  const data = dataExports(manifest);
  return ["--profile", "esm-only", "--no-color", "--no-emoji", ...(data.length > 0 ? ["--exclude-entrypoints", ...data] : [])];
}

/** Runs one tool over every package, two at a time; a list that came out empty is a failure, not a pass. */
async function each(list, work) {
  if (list.length === 0) return { code: 1, output: `nothing was packed; expected ${publishable().length} packages` };
  const results = [];
  const left = [...list];
  const worker = async () => {
    for (let entry = left.shift(); entry; entry = left.shift()) results.push({ name: entry.name, ...(await work(entry)) });
  };
  await Promise.all([worker(), worker()]);
  const bad = results.filter(({ code }) => code !== 0);
  return { code: bad.length > 0 ? 1 : 0, output: bad.map(({ name, output }) => `${name}\n${output}`).join("\n") };
}
