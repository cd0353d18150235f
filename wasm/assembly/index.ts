// Raw-pointer exports. Nothing here allocates: every pointer is to memory that the caller owns, laid out as the byte map at the
// top of each module says.
export { blake3Digest, blake3Init, blake3Update } from "./blake3";
export { cast } from "./cast";
export { crc32Init, crc32Update } from "./crc32";
export { md5Digest, md5Init, md5Update } from "./md5";
export { finiteLength } from "./finite";
export { countBytes, scanInit, scanResult, scanUpdate } from "./scan";
export { sha256Digest, sha256Init, sha256Update } from "./sha256";
export { sha256Four } from "./sha256-wide";
export { xxh3Digest128, xxh3Digest64, xxh3Init, xxh3Update } from "./xxh3";

/** First byte that the module does not use for its constants: the caller's memory starts here. */
export function heapBase(): usize {
  return __heap_base;
}
