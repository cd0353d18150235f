// What a browser would load for a purpose, the most that it may weigh, and what must not be in there. `npm test` bundles
// each from the packed packages with esbuild; `.size-limit.js` holds the result against the limit.

/** No bundle for a browser may hold these. */
const NEVER = [/["'`]node:/, /\brequire\(["'`]/, /\beval\(/, /\bnew Function\(/];

export const BUNDLES = [
  {
    file: "safetensors",
    name: "core + safetensors",
    limit: "12 KB",
    code: 'export * from "@ckptkit/formats/safetensors"; export { blobSource, memorySource } from "@ckptkit/core";',
    mustNotAppear: { packages: ["@ckptkit/pickle", "@ckptkit/wasm"], text: NEVER },
  },
  {
    file: "torch",
    name: "core + torch + pickle + safetensors",
    limit: "28 KB",
    code: 'export * from "@ckptkit/formats/torch"; export * from "@ckptkit/formats/safetensors"; export { blobSource } from "@ckptkit/core";',
    mustNotAppear: { packages: ["@ckptkit/wasm"], text: NEVER },
  },
  {
    file: "everything",
    name: "everything, with WebAssembly",
    limit: "60 KB",
    code: ["core", "pickle", "wasm", "formats", "inspect"]
      .map((name, index) => `export * as m${index} from "@ckptkit/${name}";`)
      .join("\n"),
    mustNotAppear: { text: NEVER },
  },
];
