// What a browser would load for a purpose, the most that it may weigh, and what must not be in there. `npm test` bundles
// each from the packed packages with esbuild; `.size-limit.js` holds the result against the limit.

/** No bundle for a browser may hold these. */
const NEVER = [/["'`]node:/, /\brequire\(["'`]/, /\beval\(/, /\bnew Function\(/];
/** The WebAssembly kernels, packed: who only reads does not carry them. */
const KERNELS = /wasm\/dist\/generated\/kernels-deflated\.js$/;

/** Read and write every format, look, scan, hash and convert, with WebAssembly: named as a program would name them. */
const EVERY_VERB = `
  export { blobSource } from "@ckptkit/core";
  export { loadKernels } from "@ckptkit/wasm";
  export { openCheckpoint, READERS } from "@ckptkit/formats";
  export * from "@ckptkit/formats/torch";
  export * from "@ckptkit/formats/safetensors";
  export { convertCheckpoint, describeCheckpoint, globFilter, hashSource, hashTensors, scanCheckpoint } from "@ckptkit/inspect";
`;
/** The packages whose entries must leave nothing behind when nothing of them is used. */
const PACKAGES = [
  "core",
  "core/pipeline",
  "pickle",
  "wasm",
  "wasm/js",
  "formats",
  "formats/torch",
  "formats/safetensors",
  "formats/gguf",
  "formats/npz",
  "formats/hdf5",
  "formats/keras",
  "formats/onnx",
  "formats/tf-bundle",
  "inspect",
];

export const BUNDLES = [
  {
    file: "safetensors-reader",
    name: "read safetensors",
    limit: "8 KB",
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
    limit: "33 KB",
    code:
      'export { torchLegacyReader, torchZipReader } from "@ckptkit/formats/torch";' +
      'export { safetensorsReader } from "@ckptkit/formats/safetensors"; export { blobSource } from "@ckptkit/core";',
    mustNotAppear: { packages: ["@ckptkit/inspect"], files: [KERNELS], text: NEVER },
  },
  {
    file: "onnx-reader",
    name: "read ONNX models",
    limit: "19 KB",
    code: 'export { onnxReader } from "@ckptkit/formats/onnx"; export { blobSource } from "@ckptkit/core";',
    mustNotAppear: { packages: ["@ckptkit/pickle", "@ckptkit/wasm"], text: NEVER },
  },
  {
    file: "tf-bundle-reader",
    name: "read TensorFlow checkpoints",
    limit: "20 KB",
    code: 'export { tfBundleReader } from "@ckptkit/formats/tf-bundle"; export { blobSource } from "@ckptkit/core";',
    mustNotAppear: { packages: ["@ckptkit/pickle", "@ckptkit/inspect"], files: [KERNELS], text: NEVER },
  },
  {
    file: "keras-reader",
    name: "read Keras models and HDF5",
    limit: "36 KB",
    code: 'export { kerasReader } from "@ckptkit/formats/keras"; export { hdf5Reader } from "@ckptkit/formats/hdf5"; export { blobSource } from "@ckptkit/core";',
    mustNotAppear: { packages: ["@ckptkit/inspect"], files: [KERNELS], text: NEVER },
  },
  {
    file: "everything",
    name: "everything: read every container, write, scan, hash, convert, with WebAssembly",
    limit: "90 KB",
    code: EVERY_VERB,
    mustAppear: { files: [KERNELS] },
    mustNotAppear: { packages: ["picomatch"], text: NEVER },
  },
  {
    file: "nothing",
    name: "nothing: the entries have no side effects",
    limit: "100 B",
    code: PACKAGES.map((name) => `import "@ckptkit/${name}";`).join("\n"),
    mustNotAppear: { packages: ["@ckptkit"] },
  },
  {
    file: "one-loader",
    name: "one loading strategy, without the other stages, sources and configuration files",
    limit: "46 KB",
    code: 'export { WeightsOnlyLoader } from "@ckptkit/stages/loading"; export { CheckpointPipeline } from "@ckptkit/core/pipeline";',
    mustNotAppear: { packages: ["@ckptkit/catalog", "@ckptkit/remote", "yaml"], files: [KERNELS], text: NEVER },
  },
  {
    file: "pipelines",
    name: "pipelines from files: every stage, the catalog, plans",
    limit: "222 KB",
    code: 'export * from "@ckptkit/catalog";',
    mustNotAppear: { packages: ["@ckptkit/node", "ajv"], text: NEVER },
  },
];
