export * from "./node/big-oracle.js";
export * from "./node/big-safetensors.js";
export * from "./node/big-torch.js";
export * from "./node/corpus.js";
export * from "./node/file-server.js";
export * from "./node/fixtures.js";
export * from "./node/oracle.js";
export * from "./node/sparse-file.js";
