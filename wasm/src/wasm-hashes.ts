import type { HashAlgorithm } from "@ckptkit/core";
import type { KernelExports } from "./kernel-exports.js";

/** A hash whose state lies in the kernels' memory. */
export interface StateHash {
  /** Size of the state: byte maps in assembly/. */
  readonly stateBytes: number;
  readonly digestBytes: number;
  /** The hash's exports. */
  start(exports: KernelExports): {
    init(state: number): void;
    update(state: number, pointer: number, length: number): void;
    digest(state: number, out: number): void;
  };
}

/** Every hash but the CRCs, whose state is one number. */
export const HASHES: Readonly<Record<Exclude<HashAlgorithm, "crc32" | "crc32c">, StateHash>> = {
  sha256: {
    stateBytes: 512,
    digestBytes: 32,
    start: ({ sha256Init, sha256Update, sha256Digest }) => ({ init: sha256Init, update: sha256Update, digest: sha256Digest }),
  },
  md5: {
    stateBytes: 256,
    digestBytes: 16,
    start: ({ md5Init, md5Update, md5Digest }) => ({ init: md5Init, update: md5Update, digest: md5Digest }),
  },
  blake3: {
    stateBytes: 2688,
    digestBytes: 32,
    start: ({ blake3Init, blake3Update, blake3Digest }) => ({ init: blake3Init, update: blake3Update, digest: blake3Digest }),
  },
  xxh3: {
    stateBytes: 512,
    digestBytes: 8,
    start: ({ xxh3Init, xxh3Update, xxh3Digest64 }) => ({ init: xxh3Init, update: xxh3Update, digest: xxh3Digest64 }),
  },
  "xxh3-128": {
    stateBytes: 512,
    digestBytes: 16,
    start: ({ xxh3Init, xxh3Update, xxh3Digest128 }) => ({ init: xxh3Init, update: xxh3Update, digest: xxh3Digest128 }),
  },
};
