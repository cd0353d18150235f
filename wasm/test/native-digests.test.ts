import { createHash, randomBytes } from "node:crypto";
import * as zlib from "node:zlib";
import type { HashAlgorithm } from "@ckptkit/core";
import { describe, expect, test } from "vitest";
import { IMPLEMENTATIONS } from "./implementations.js";

const LENGTHS = [0, 1, 55, 56, 63, 64, 65, 119, 120, 1000, 8191, 8192, 8193, 12_345, 131_072, 131_073, 1_000_003];

// zlib.crc32 is there from Node 20.15 and 22.2 on; the declarations of an older Node do not know it.
const nativeCrc32 = (zlib as { crc32?: (bytes: Uint8Array) => number }).crc32;

const NATIVE: readonly { algorithm: HashAlgorithm; native(bytes: Uint8Array): string }[] = [
  { algorithm: "sha256", native: (bytes) => createHash("sha256").update(bytes).digest("hex") },
  { algorithm: "md5", native: (bytes) => createHash("md5").update(bytes).digest("hex") },
  ...(nativeCrc32
    ? [{ algorithm: "crc32" as const, native: (bytes: Uint8Array) => nativeCrc32(bytes).toString(16).padStart(8, "0") }]
    : []),
];

describe.each(IMPLEMENTATIONS)("hashes in $name", ({ load }) => {
  test.each(NATIVE)("$algorithm of random bytes is what Node says", async ({ algorithm, native }) => {
    const kernels = await load();
    for (const length of LENGTHS) {
      const bytes = randomBytes(length);
      const hasher = kernels.hasher(algorithm);
      hasher.update(bytes);
      expect(hasher.hexDigest(), `${length} bytes`).toBe(native(bytes));
      hasher.free();
    }
    const messages = LENGTHS.map((length) => randomBytes(length));
    const hex = kernels.digests(algorithm, messages).map((digest) => Buffer.from(digest).toString("hex"));
    expect(hex).toEqual(messages.map(native));
  });
});
