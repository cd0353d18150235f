export * from "./byte-sink-contract.js";
export * from "./byte-source-contract.js";
export * from "./damage.js";
export * from "./expect-statistics.js";
export * from "./faulty-source.js";
export * from "./fixture-types.js";
export * from "./random.js";
