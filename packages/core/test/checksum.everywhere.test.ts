import { describe, expect, it } from "vitest";
import { parseChecksum, verifyChecksum } from "../src/index.js";

/** SHA-256 and MD5 of no bytes: FIPS 180-4's and RFC 1321's own examples. */
const SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const MD5 = "d41d8cd98f00b204e9800998ecf8427e";

describe("checksums", () => {
  it.each([
    [SHA256, "sha256", SHA256],
    [`sha256:${SHA256}`, "sha256", SHA256],
    [`SHA-256: ${SHA256.toUpperCase()} `, "sha256", SHA256],
    [`md5:${MD5}`, "md5", MD5],
    ["xxh3:2d06800538d394c2", "xxh3", "2d06800538d394c2"],
    ["crc32:00000000", "crc32", "00000000"],
  ])("are read from %s", (text, algorithm, hex) => {
    expect(parseChecksum(text)).toEqual({ algorithm, hex });
  });

  it.each(["", "sha256:", SHA256.slice(1), `${SHA256}0`, `md5:${SHA256}`, `sha999:${SHA256}`, `g${SHA256.slice(1)}`, MD5])(
    "are refused, with how to write them, from %s",
    (text) =>
      expect(() => parseChecksum(text)).toThrow(
        expect.objectContaining({ code: "INVALID_ARGUMENT", suggestions: [expect.stringContaining("ALGORITHM:HEX")] }),
      ),
  );

  it("that differ are told with both values", () => {
    const expected = parseChecksum(`md5:${MD5}`);
    verifyChecksum("a.ckpt", expected, MD5);
    expect(() => verifyChecksum("a.ckpt", expected, "0".repeat(32))).toThrow(
      expect.objectContaining({
        name: "CheckpointIntegrityError",
        code: "CHECKSUM_MISMATCH",
        details: { name: "a.ckpt", algorithm: "md5", expected: MD5, found: "0".repeat(32) },
      }),
    );
  });
});
