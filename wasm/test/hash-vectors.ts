import type { HashAlgorithm } from "@ckptkit/core";

/** One published digest. */
export interface HashVector {
  readonly algorithm: HashAlgorithm;
  readonly what: string;
  readonly bytes: Uint8Array;
  readonly hex: string;
}

const text = (string: string): Uint8Array => new TextEncoder().encode(string);

/** RFC 1321 appendix A.5. */
const MD5: readonly (readonly [string, string])[] = [
  ["", "d41d8cd98f00b204e9800998ecf8427e"],
  ["a", "0cc175b9c0f1b6a831c399e269772661"],
  ["abc", "900150983cd24fb0d6963f7d28e17f72"],
  ["message digest", "f96b697d7cb7938d525a2f31aaf161d0"],
  ["abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"],
  ["ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "d174ab98d277d9f5a5611c2c9f419d9f"],
  ["12345678901234567890123456789012345678901234567890123456789012345678901234567890", "57edf4a22be3c955ac49da2e2107b67a"],
];

/** NIST's examples for FIPS 180-4 (SHA_All.pdf), and the million of "a" of FIPS 180-2 appendix B.3. */
const SHA256: readonly (readonly [string, string])[] = [
  ["", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
  ["abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
  ["abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"],
  [
    "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
    "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1",
  ],
  ["a".repeat(1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"],
];

/**
 * The first 32 bytes of "hash" in BLAKE3's test_vectors.json, by length of the input.
 *
 * @see https://github.com/BLAKE3-team/BLAKE3/blob/master/test_vectors/test_vectors.json
 */
const BLAKE3: readonly (readonly [number, string])[] = [
  [0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"],
  [1, "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213"],
  [2, "7b7015bb92cf0b318037702a6cdd81dee41224f734684c2c122cd6359cb1ee63"],
  [3, "e1be4d7a8ab5560aa4199eea339849ba8e293d55ca0a81006726d184519e647f"],
  [7, "3f8770f387faad08faa9d8414e9f449ac68e6ff0417f673f602a646a891419fe"],
  [8, "2351207d04fc16ade43ccab08600939c7c1fa70a5c0aaca76063d04c3228eaeb"],
  [63, "e9bc37a594daad83be9470df7f7b3798297c3d834ce80ba85d6e207627b7db7b"],
  [64, "4eed7141ea4a5cd4b788606bd23f46e212af9cacebacdc7d1f4c6dc7f2511b98"],
  [65, "de1e5fa0be70df6d2be8fffd0e99ceaa8eb6e8c93a63f2d8d1c30ecb6b263dee"],
  [127, "d81293fda863f008c09e92fc382a81f5a0b4a1251cba1634016a0f86a6bd640d"],
  [128, "f17e570564b26578c33bb7f44643f539624b05df1a76c81f30acd548c44b45ef"],
  [129, "683aaae9f3c5ba37eaaf072aed0f9e30bac0865137bae68b1fde4ca2aebdcb12"],
  [1023, "10108970eeda3eb932baac1428c7a2163b0e924c9a9e25b35bba72b28f70bd11"],
  [1024, "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7"],
  [1025, "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444"],
  [2048, "e776b6028c7cd22a4d0ba182a8bf62205d2ef576467e838ed6f2529b85fba24a"],
  [2049, "5f4d72f40d7a5f82b15ca2b2e44b1de3c2ef86c426c95c1af0b6879522563030"],
  [3072, "b98cb0ff3623be03326b373de6b9095218513e64f1ee2edd2525c7ad1e5cffd2"],
  [3073, "7124b49501012f81cc7f11ca069ec9226cecb8a2c850cfe644e327d22d3e1cd3"],
  [4096, "015094013f57a5277b59d8475c0501042c0b642e531b0a1c8f58d2163229e969"],
  [4097, "9b4052b38f1c5fc8b1f9ff7ac7b27cd242487b3d890d15c96a1c25b8aa0fb995"],
  [5120, "9cadc15fed8b5d854562b26a9536d9707cadeda9b143978f319ab34230535833"],
  [5121, "628bd2cb2004694adaab7bbd778a25df25c47b9d4155a55f8fbd79f2fe154cff"],
  [8192, "aae792484c8efe4f19e2ca7d371d8c467ffb10748d8a5a1ae579948f718a2a63"],
  [8193, "bab6c09cb8ce8cf459261398d2e7aef35700bf488116ceb94a36d0f5f1b7bc3b"],
  [16384, "f875d6646de28985646f34ee13be9a576fd515f76b5b0a26bb324735041ddde4"],
  [31744, "62b6960e1a44bcc1eb1a611a8d6235b6b4b78f32e7abc4fb4c6cdcce94895c47"],
  [102400, "bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085"],
];

/** BLAKE3's test input: 0, 1, ... 250, 0, 1, ... */
const blake3Input = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i % 251);

/**
 * XSUM_XXH3_testdata with seed 0, by length of the input.
 *
 * @see https://github.com/Cyan4973/xxHash/blob/dev/cli/xsum_sanity_check.c
 */
const XXH3: readonly (readonly [number, string])[] = [
  [0, "2d06800538d394c2"],
  [1, "c44bdff4074eecdb"],
  [6, "27b56a84cd2d7325"],
  [12, "a713daf0dfbb77e7"],
  [24, "a3fe70bf9d3510eb"],
  [48, "397da259ecba1f11"],
  [80, "bcdefbbb2c47c90a"],
  [195, "cd94217ee362ec3a"],
  [403, "cdeb804d65c6dea4"],
  [512, "617e49599013cb6b"],
  [2048, "dd59e2c3a5f038e0"],
  [2099, "c6b9d9b3fc9ac765"],
  [2240, "6e73a90539cf2948"],
  [2367, "cb37aeb9e5d361ed"],
];

/** XSUM_XXH128_testdata with seed 0, from the same file: the upper half, then the lower one, as XXH128_canonicalFromHash writes. */
const XXH128: readonly (readonly [number, string])[] = [
  [0, "99aa06d3014798d86001c324468d497f"],
  [1, "a6cd5e9392000f6ac44bdff4074eecdb"],
  [6, "082afe0b8162d12a3e7039bdda43cfc6"],
  [12, "6e3efd8fc7802b18061a192713f69ad9"],
  [24, "0ce966e4678d37611e7044d28b1b901d"],
  [48, "a002ac4e5478227ef942219aed80f67b"],
  [81, "4952f58181ab00425e8bafb9f95fb803"],
  [222, "337e09641b948717f1aebd597cec6b3a"],
  [403, "1b6de21e332dd73dcdeb804d65c6dea4"],
  [512, "18d2d110dcc9bca1617e49599013cb6b"],
  [2048, "f736557fd47073a5dd59e2c3a5f038e0"],
  [2240, "ccb134fbfa7ce49d6e73a90539cf2948"],
  [2367, "e89c0f6ff369b427cb37aeb9e5d361ed"],
];

/** XSUM_fillTestBuffer of the same file. */
function xxhInput(length: number): Uint8Array {
  let generator = 2654435761n;
  return Uint8Array.from({ length }, () => {
    const byte = Number(generator >> 56n);
    generator = BigInt.asUintN(64, generator * 11400714785074694797n);
    return byte;
  });
}

/** Check values of the CRC catalogue: CRC-32/ISO-HDLC and CRC-32/ISCSI. @see https://reveng.sourceforge.io/crc-catalogue/17plus.htm */
const CHECK = text("123456789");

/** RFC 3720 appendix B.4: 32 bytes of zeros, of ones, ascending, descending. The RFC prints CRCs with the least significant byte first. */
const CRC32C: readonly (readonly [string, Uint8Array, string])[] = [
  ["32 zeros", new Uint8Array(32), "8a9136aa"],
  ["32 bytes of ones", new Uint8Array(32).fill(0xff), "62a8ab43"],
  ["32 ascending bytes", Uint8Array.from({ length: 32 }, (_, i) => i), "46dd794e"],
  ["32 descending bytes", Uint8Array.from({ length: 32 }, (_, i) => 31 - i), "113fdb5c"],
];

/** Published digests of every algorithm. */
export const HASH_VECTORS: readonly HashVector[] = [
  ...MD5.map(([input, hex]) => ({ algorithm: "md5" as const, what: `"${input}"`, bytes: text(input), hex })),
  ...SHA256.map(([input, hex]) => ({ algorithm: "sha256" as const, what: `"${input.slice(0, 60)}"`, bytes: text(input), hex })),
  ...BLAKE3.map(([length, hex]) => ({ algorithm: "blake3" as const, what: `${length} bytes`, bytes: blake3Input(length), hex })),
  ...XXH3.map(([length, hex]) => ({ algorithm: "xxh3" as const, what: `${length} bytes`, bytes: xxhInput(length), hex })),
  ...XXH128.map(([length, hex]) => ({ algorithm: "xxh3-128" as const, what: `${length} bytes`, bytes: xxhInput(length), hex })),
  { algorithm: "crc32", what: '"123456789"', bytes: CHECK, hex: "cbf43926" },
  { algorithm: "crc32c", what: '"123456789"', bytes: CHECK, hex: "e3069283" },
  ...CRC32C.map(([what, bytes, hex]) => ({ algorithm: "crc32c" as const, what, bytes, hex })),
];
