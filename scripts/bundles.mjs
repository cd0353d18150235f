// What a browser would load for a purpose, the most that it may weigh, and what must not be in there. `npm test` bundles
// each from the packed packages with esbuild; `.size-limit.js` holds the result against the limit.

/** No bundle for a browser may hold these. */
const NEVER = [/["'`]node:/, /\brequire\(["'`]/, /\beval\(/, /\bnew Function\(/];
/** The first bytes of a WebAssembly module in base64: who only reads does not carry the kernels. */
const KERNELS = /AGFzbQ/;

export const BUNDLES = [
  {
    file: "safetensors-reader",
    name: "read safetensors",
    limit: "9 KB",
    code: 'export { safetensorsReader } from "@ckptkit/formats/safetensors"; export { blobSource } from "@ckptkit/core";',
    mustNotAppear: { packages: ["@ckptkit/pickle", "@ckptkit/wasm"], text: NEVER },
  },
  {
    file: "safetensors",
    name: "read and write safetensors, single and sharded",
    limit: "12 KB",
    code: 'export * from "@ckptkit/formats/safetensors"; export { blobSource } from "@ckptkit/core";',
    mustNotAppear: { packages: ["@ckptkit/pickle", "@ckptkit/wasm"], text: NEVER },
  },
  {
    file: "torch-reader",
    name: "read torch (with pickle) and safetensors",
    limit: "34 KB",
    code:
      'export { torchLegacyReader, torchZipReader } from "@ckptkit/formats/torch";' +
      'export { safetensorsReader } from "@ckptkit/formats/safetensors"; export { blobSource } from "@ckptkit/core";',
    mustNotAppear: { packages: ["@ckptkit/inspect"], text: [...NEVER, KERNELS] },
  },
  {
    file: "everything",
    name: "everything: read, write, scan, hash, convert, with WebAssembly",
    limit: "88 KB",
    code: ["core", "pickle", "wasm", "formats", "inspect"]
      .map((name, index) => `export * as m${index} from "@ckptkit/${name}";`)
      .join("\n"),
    mustNotAppear: { text: NEVER },
  },
  {
    file: "one-loader",
    name: "one loading strategy, without the other stages, sources and configuration files",
    limit: "130 KB",
    code: 'export { WeightsOnlyLoader } from "@ckptkit/stages/loading"; export { CheckpointPipeline } from "@ckptkit/core/pipeline";',
    mustNotAppear: { packages: ["@ckptkit/catalog", "@ckptkit/remote", "yaml"], text: [...NEVER, KERNELS] },
  },
  {
    file: "pipelines",
    name: "pipelines from files: every stage, the catalog, plans",
    limit: "280 KB",
    code: 'export * from "@ckptkit/catalog";',
    mustNotAppear: { packages: ["@ckptkit/node", "ajv"], text: NEVER },
  },
];
