export { openShardedTorch, shardedTorchReader } from "./reader.js";
