export { SAFETENSORS_DTYPES } from "./header.js";
export { openSafetensors, safetensorsReader } from "./reader.js";
export { openShardedSafetensors, shardedSafetensorsReader } from "./sharded.js";
export { type SafetensorsWriteOptions, writeSafetensors } from "./writer.js";
