import { builtinModules } from "node:module";

// Who may import whom. Imports point one way only: core <- pickle, wasm <- formats <- inspect; node beside them; cli on top.
// Packages see each other through their public exports alone, and what runs in browsers never sees `node:*`.

/** The source folder of a package, as a pattern. */
const src = (name) => (name === "wasm" ? "^wasm/src/" : `^packages/${name}/src/`);
const anyOf = (...names) => `(${names.map(src).join("|")})`;
const TESTS = "^(wasm|packages/[^/]+)/test/";

/** What the source of each package may import from the others. A package that is not listed here may import none. */
const MAY_IMPORT = {
  core: [],
  pickle: ["core"],
  wasm: ["core"],
  formats: ["core", "pickle", "wasm"],
  remote: ["core"],
  inspect: ["core", "pickle", "wasm", "formats"],
  stages: ["core", "pickle", "wasm", "formats", "inspect", "remote"],
  catalog: ["core", "pickle", "wasm", "formats", "inspect", "remote", "stages"],
  // Adapters stand beside the stairs: nothing above formats.
  node: ["core", "wasm", "formats", "remote"],
  browser: ["core", "wasm", "formats", "remote"],
  webgpu: ["core", "wasm", "formats"],
  // On top, where an adapter and the rest are put together.
  cli: ["core", "pickle", "wasm", "formats", "inspect", "remote", "stages", "catalog", "node"],
  testkit: ["core", "pickle", "wasm", "formats"],
};

const staircase = Object.entries(MAY_IMPORT).map(([name, below]) => ({
  name: `staircase-${name}`,
  comment: `${name} may import ${below.length > 0 ? below.join(", ") : "nothing"} of the workspace. See "The staircase" in ARCHITECTURE.md.`,
  severity: "error",
  from: { path: src(name) },
  to: { path: "^(wasm|packages|apps|bench|fixtures|scripts)/", pathNot: anyOf(name, ...below) },
}));

export default {
  forbidden: [
    ...staircase,
    {
      name: "listed-in-the-staircase",
      comment: "A new package gets its line in MAY_IMPORT before it imports another.",
      severity: "error",
      from: { path: "^packages/[^/]+/src/", pathNot: anyOf(...Object.keys(MAY_IMPORT)) },
      to: { path: "^(wasm|packages/(?!$1)[^/]+)/" },
    },
    {
      name: "public-exports-only",
      comment: "Import another package by its name, never by a path into its folder.",
      severity: "error",
      from: { path: "^(wasm|packages/[^/]+)/" },
      to: { path: "^(wasm|packages/[^/]+)/", pathNot: "^$1/", dependencyTypes: ["local"] },
    },
    {
      name: "no-node-builtins",
      comment: "Only node, cli, bullmq, testkit/src/node.ts, tests and scripts may import node: modules. Browsers have none.",
      severity: "error",
      from: {
        path: "^(wasm|packages/[^/]+)/src/",
        pathNot: ["^packages/(node|cli|bullmq)/src/", "^packages/testkit/src/node(\\.ts$|/)"],
      },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "everywhere-means-everywhere",
      comment: "*.everywhere.test.ts and *.browser.test.ts run in Chromium: no node: module, and nothing of the Node side of testkit.",
      severity: "error",
      from: { path: "\\.(everywhere|browser)\\.test\\.ts$" },
      to: { path: [`^(${builtinModules.join("|")})$`, "^packages/(node|cli|bullmq)/", "^packages/testkit/src/node"], reachable: true },
    },
    {
      name: "no-testkit-in-source",
      comment: "testkit is for tests only.",
      severity: "error",
      from: { path: "^(wasm/|packages/[^/]+/)src/", pathNot: "^packages/testkit/" },
      to: { path: "^packages/testkit/" },
    },
    {
      name: "no-tests-in-source",
      comment: "What is published does not import tests, fixtures, benches or scripts.",
      severity: "error",
      from: { path: "^(wasm|packages/[^/]+)/src/", pathNot: "^packages/testkit/" },
      to: { path: "(/test/|^fixtures/|^bench/|^scripts/)" },
    },
    {
      name: "no-cycles",
      comment: "Two files that need each other are one file, or three. Cycles of types alone are allowed: they are gone at run time.",
      severity: "error",
      from: { pathNot: TESTS },
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "no-orphans",
      comment: "A source file that nothing imports is dead, or is missing from its package's index.",
      severity: "error",
      from: {
        orphan: true,
        pathNot: [
          "\\.d\\.ts$",
          "/test/",
          "vitest\\.config\\.ts$",
          "^scripts/",
          "/index\\.ts$",
          "^packages/cli/src/main\\.ts$",
          "/generated/",
          "/bin/",
          "\\.mjs$",
        ],
      },
      to: {},
    },
    {
      name: "resolvable",
      comment: "Every import leads somewhere.",
      severity: "error",
      from: { pathNot: "/bin/" },
      to: { couldNotResolve: true },
    },
    {
      name: "declared-dependencies",
      comment: "A package's source imports only what its package.json lists for those who install it; the CLI bundles its own.",
      severity: "error",
      from: { path: "^(wasm|packages/[^/]+)/src/", pathNot: "^packages/(cli|testkit)/" },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"], dependencyTypesNot: ["type-only", "npm-peer"] },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "(^|/)(dist|test-results|assembly|files|scripts/templates)/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    combinedDependencies: false,
    detectProcessBuiltinModuleCalls: true,
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "types", "node", "default"],
      mainFields: ["module", "main"],
    },
  },
};
