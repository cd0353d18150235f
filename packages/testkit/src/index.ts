export * from "./byte-sink-contract.js";
export * from "./byte-source-contract.js";
