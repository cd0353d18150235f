import type { Hasher, Kernels } from "../src/index.js";

/** CRC-32 as its definition says (ISO-HDLC: reflected, polynomial 0x04C11DB7), bit by bit. */
export function crc32(bytes: Uint8Array, crc = 0): number {
  crc = ~crc;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/** The part of the kernels that checking a CRC takes, and what it has not given back yet. */
export function crcKernels(): { kernels: Kernels; held: () => number } {
  let held = 0;
  const hasher = (): Hasher => {
    let crc = 0;
    held++;
    return {
      update: (bytes) => {
        crc = crc32(bytes, crc);
      },
      digest: () => new Uint8Array([crc >>> 24, crc >>> 16, crc >>> 8, crc]),
      hexDigest: () => crc.toString(16).padStart(8, "0"),
      free: () => {
        held--;
      },
    };
  };
  const kernels: Kernels = {
    name: "crc only",
    allocate: (byteLength) => {
      held++;
      return {
        bytes: new Uint8Array(byteLength),
        free: () => {
          held--;
        },
      };
    },
    hasher,
    scanner: () => {
      throw new Error("Only CRC-32 is here.");
    },
    mergeScans: () => {
      throw new Error("Only CRC-32 is here.");
    },
    nextNonFinite: () => {
      throw new Error("Only CRC-32 is here.");
    },
    digests: () => {
      throw new Error("Only CRC-32 is here.");
    },
    cast: () => {
      throw new Error("Only CRC-32 is here.");
    },
  };
  return { kernels, held: () => held };
}
