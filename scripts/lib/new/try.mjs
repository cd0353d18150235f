// Tries `pnpm new`: makes one of each kind in a copy of the repository, and holds it to what everything else is held to.
import { cpSync, existsSync, lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { packages } from "../packages.mjs";
import { inRoot } from "../root.mjs";
import { run } from "../run.mjs";
import { STAGES } from "./create.mjs";

const LIMIT_MS = 120_000;
const NAME = "just-made";
const CASES = [...STAGES.map((as) => ["stage", `${NAME}-${as}`, "--as", as]), ["source", NAME], ["format", NAME], ["package", NAME]];
const TESTS = [
  ["packages/stages", NAME],
  ["packages/formats", NAME],
  [`packages/${NAME}`, "test"],
];

/** Resolves to `{ code, output }`. */
export async function tryScaffolds() {
  const copy = mkdtempSync(join(tmpdir(), "ckptkit-new-"));
  const node = (...args) => run([process.execPath, ...args], { cwd: copy, limitMs: LIMIT_MS });
  const bin = (name, path, ...args) => node(join(copy, "node_modules", name, path), ...args);
  try {
    await copyRepository(copy);
    for (const args of CASES) {
      const made = await node("scripts/new.mjs", ...args);
      if (made.code !== 0) return made;
    }
    const again = await node("scripts/new.mjs", ...CASES[0]);
    if (again.code === 0) return { code: 1, output: `What was there already was written again:\n${again.output}` };
    linkPackage(copy);
    const config = { extends: "./tsconfig.json", include: CASES.flatMap(globsOf) };
    writeFileSync(join(copy, "tsconfig.new.json"), JSON.stringify(config));
    const checks = [
      () => bin("typescript", "bin/tsc", "-p", "tsconfig.new.json"),
      () => bin("@biomejs/biome", "bin/biome", "ci", "--colors=off", "--error-on-warnings", "--vcs-enabled=false", ...folders()),
      () =>
        bin(
          "dependency-cruiser",
          "bin/dependency-cruise.mjs",
          "--config",
          ".dependency-cruiser.mjs",
          `packages/${NAME}`,
          `packages/formats/src/${NAME}`,
        ),
      () => node("-e", RULES),
      ...TESTS.map(
        ([folder, filter]) =>
          () =>
            run([process.execPath, join(copy, "node_modules/vitest/vitest.mjs"), "run", "--project", "node", filter], {
              cwd: join(copy, folder),
              limitMs: LIMIT_MS,
            }),
      ),
    ];
    for (const check of checks) {
      const { code, output } = await check();
      if (code !== 0) return { code, output };
    }
    return { code: 0, output: "" };
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

const globsOf = ([kind, name]) =>
  ({
    stage: [`packages/stages/src/*/${name}.ts`, `packages/stages/test/${name}-*.ts`],
    source: [`packages/stages/src/sources/${name}.ts`, `packages/stages/test/${name}-source.everywhere.test.ts`],
    format: [`packages/formats/src/${name}`, `packages/formats/test/${name}.everywhere.test.ts`],
    package: [`packages/${name}/src`, `packages/${name}/test`],
  })[kind];

const folders = () => ["packages/stages/src", "packages/stages/test", "packages/formats", `packages/${NAME}`];

const RULES = `
  const { brokenHouseRules } = await import("./scripts/lib/house-rules.mjs");
  const { manifestProblems } = await import("./scripts/lib/manifests.mjs");
  const problems = [...brokenHouseRules(), ...manifestProblems()];
  console.log(problems.join("\\n"));
  process.exitCode = problems.length > 0 ? 1 : 0;
`;

/** What git knows and does not ignore, what was generated, and links to what is installed. */
async function copyRepository(copy) {
  const { output } = await run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], { limitMs: 20_000 });
  const generated = ["packages/stages/src/generated", "wasm/src/generated"];
  for (const file of [...output.split("\0").filter(Boolean), ...generated]) {
    if (!existsSync(inRoot(file))) continue;
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(inRoot(file), join(copy, file), { recursive: true });
  }
  for (const folder of [".", ...packages().map(({ folder }) => folder)]) {
    const installed = inRoot(folder, "node_modules");
    if (existsSync(installed) && lstatSync(installed).isDirectory()) symlinkSync(installed, join(copy, folder, "node_modules"), "junction");
  }
}

/** What `pnpm install` does for a new package. */
function linkPackage(copy) {
  const scope = join(copy, "packages", NAME, "node_modules", "@ckptkit");
  mkdirSync(scope, { recursive: true });
  for (const name of ["core", "testkit"]) symlinkSync(inRoot("packages", name), join(scope, name), "junction");
}
