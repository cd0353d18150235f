import { CheckpointConfigError, CheckpointIntegrityError } from "./errors.js";
import { HASH_ALGORITHMS, type HashAlgorithm } from "./kernels.js";

/** What a file is expected to hash to. */
export interface Checksum {
  readonly algorithm: HashAlgorithm;
  /** Lower-case hexadecimal. */
  readonly hex: string;
}

/** Hexadecimal digits of each algorithm's digest. */
const DIGITS: Readonly<Record<HashAlgorithm, number>> = { sha256: 64, xxh3: 16, "xxh3-128": 32, blake3: 64, crc32: 8, crc32c: 8, md5: 32 };

/**
 * Reads a checksum as people write it: `sha256:9f86...`, or the hexadecimal digits alone, which are SHA-256.
 *
 * @throws {CheckpointConfigError} INVALID_ARGUMENT for an unknown algorithm or a wrong number of digits.
 * @example parseChecksum("md5:d41d8cd98f00b204e9800998ecf8427e") // { algorithm: "md5", hex: "d41d..." }
 */
export function parseChecksum(text: string): Checksum {
  const colon = text.indexOf(":");
  const prefix = colon < 0 ? "sha256" : text.slice(0, colon).trim().toLowerCase().replace(/^sha-/, "sha");
  const hex = text
    .slice(colon + 1)
    .trim()
    .toLowerCase();
  const algorithm = HASH_ALGORITHMS.find((name) => name === prefix);
  const wrong = (message: string): CheckpointConfigError =>
    new CheckpointConfigError("INVALID_ARGUMENT", `The checksum ${JSON.stringify(text.slice(0, 100))} cannot be used: ${message}.`, {
      details: { checksum: text.slice(0, 100) },
      suggestions: [`Write it as ALGORITHM:HEX, where the algorithm is one of ${HASH_ALGORITHMS.join(", ")}; hex alone is SHA-256.`],
    });
  if (!algorithm) throw wrong(`"${prefix}" is not an algorithm that is known here`);
  if (!/^[0-9a-f]*$/.test(hex) || hex.length !== DIGITS[algorithm]) {
    throw wrong(`${algorithm} has ${DIGITS[algorithm]} hexadecimal digits`);
  }
  return { algorithm, hex };
}

/** @throws {CheckpointIntegrityError} CHECKSUM_MISMATCH unless a file hashes to what was expected. */
export function verifyChecksum(name: string, expected: Checksum, found: string): void {
  if (found === expected.hex) return;
  throw new CheckpointIntegrityError(
    "CHECKSUM_MISMATCH",
    `${name} does not have the expected checksum: ${expected.algorithm} ${expected.hex} was expected, ${found} was found.`,
    {
      details: { name, algorithm: expected.algorithm, expected: expected.hex, found },
      suggestions: ["Fetch the file again.", "Compare the expected checksum with the one that the publisher of the file gives."],
    },
  );
}
