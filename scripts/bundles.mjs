// What a browser would load for a purpose, the most that it may weigh, and what must not be in there. `npm test` bundles
// each from the packed packages with esbuild; `.size-limit.js` holds the result against the limit. Limits stand some 3% above what was measured.
// A bundle with `limitOfAll` is divided, as Vite, webpack and esbuild do: `limit` is for what is loaded first, `limitOfAll` for that and all that may come later.

/** No bundle for a browser may hold these. */
const NEVER = [/["'`]node:/, /\brequire\(["'`]/, /\beval\(/, /\bnew Function\(/];
/** The WebAssembly kernels, packed: who only reads does not carry them. */
const KERNELS = /wasm\/dist\/generated\/kernels-deflated\.js$/;

/** What reads and writes the rarer containers: loaded when one is met. */
const RARE = [
  /formats\/dist\/(?:dcp|flax|ggml|gguf|hdf5|keras|mar|nemo|npz|onnx|orbax|pt2|tf-bundle|torch-sharded|torch-tar|torchscript|zarr)\/(?:\w+-)?reader\.js$/,
  /formats\/dist\/\w+\/writer\.js$/,
  /formats\/dist\/codecs\//,
];

/** Read and write every format, look, scan, hash and convert, with WebAssembly: named as a program would name them. */
const EVERY_VERB = `
  export { blobSource } from "@ckptkit/core";
  export { loadKernels } from "@ckptkit/wasm";
  export { openCheckpoint, READERS } from "@ckptkit/formats";
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
    // 28 KB was the aim. What stands above it: every opcode and Python's own ways of building objects (24 KB unpacked), the tree of torch's (27 KB), zip
    // with its checks (14 KB); all of it runs when a file of torch.save is opened.
    limit: "37.4 KB",
    code:
      'export { torchLegacyReader, torchZipReader } from "@ckptkit/formats/torch";' +
      'export { safetensorsReader } from "@ckptkit/formats/safetensors"; export { blobSource } from "@ckptkit/core";',
    mustNotAppear: { packages: ["@ckptkit/inspect"], files: [KERNELS], text: NEVER },
  },
  {
    file: "onnx-reader",
    name: "read ONNX models",
    limit: "18.5 KB",
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
    limit: "35.5 KB",
    code: 'export { kerasReader } from "@ckptkit/formats/keras"; export { hdf5Reader } from "@ckptkit/formats/hdf5"; export { blobSource } from "@ckptkit/core";',
    mustNotAppear: { packages: ["@ckptkit/inspect"], files: [KERNELS], text: NEVER },
  },
  {
    file: "everything",
    name: "everything: read every container, write, scan, hash, convert, with WebAssembly",
    // 60 KB was the aim, with the kernels (11 KB, which come with the first scan). Torch and pickle alone are half of this, see above.
    limit: "73.5 KB",
    limitOfAll: "198 KB",
    code: EVERY_VERB,
    mustAppear: { files: [KERNELS, ...RARE] },
    mustComeLater: { files: [KERNELS, ...RARE] },
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
    // Two thirds are zod, which checks the options of stages.
    limit: "48.8 KB",
    code: 'export { WeightsOnlyLoader } from "@ckptkit/stages/loading"; export { CheckpointPipeline } from "@ckptkit/core/pipeline";',
    mustNotAppear: { packages: ["@ckptkit/catalog", "@ckptkit/remote", "yaml"], files: [KERNELS], text: NEVER },
  },
  {
    file: "pipelines",
    name: "pipelines from files: every stage, the catalog, plans",
    limit: "160 KB",
    limitOfAll: "341 KB",
    code: 'export * from "@ckptkit/catalog";',
    mustNotAppear: { packages: ["@ckptkit/node", "ajv"], text: NEVER },
  },
];
