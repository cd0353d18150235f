/** A way in which whole files are packed. */
export interface Packing {
  /** What people call it. */
  readonly name: string;
  /** The command that unpacks. */
  readonly command: string;
  /** What is decoded here; undefined for what is not. */
  readonly codec?: "gzip" | "zlib" | "zstd";
}

const gzip: Packing = { name: "gzip", command: "gunzip", codec: "gzip" };
const zlib: Packing = {
  name: "zlib",
  command: "python3 -c 'import sys, zlib; sys.stdout.buffer.write(zlib.decompress(sys.stdin.buffer.read()))'",
  codec: "zlib",
};

/** First bytes, one character each. @see the file formats' own pages; for zlib RFC 1950 section 2.2, whose second byte makes both divisible by 31 */
const PACKINGS: readonly (readonly [magic: string, packing: Packing])[] = [
  ["\x1f\x8b", gzip],
  ["BZh", { name: "bzip2", command: "bunzip2" }],
  ["\xfd7zXZ\0", { name: "xz", command: "unxz" }],
  ["\x28\xb5\x2f\xfd", { name: "zstd", command: "unzstd", codec: "zstd" }],
  ["\x04\x22\x4d\x18", { name: "lz4", command: "unlz4" }],
  ["7z\xbc\xaf\x27\x1c", { name: "7z", command: "7z x" }],
  ["Rar!\x1a\x07", { name: "rar", command: "unrar x" }],
  ["MSCF\0\0\0\0", { name: "cabinet", command: "cabextract" }],
  ["\x5d\0\0", { name: "lzma", command: "unlzma" }],
  ["\x78\x01", zlib],
  ["\x78\x5e", zlib],
  ["\x78\x9c", zlib],
  ["\x78\xda", zlib],
];

/** The way in which a file is packed, by its first bytes; undefined when it is not. */
export function packingOf(head: Uint8Array): Packing | undefined {
  return PACKINGS.find(([magic]) => head.length > magic.length && [...magic].every((letter, at) => head[at] === letter.charCodeAt(0)))?.[1];
}

/** Flags of a gzip header, and where its fixed part ends. @see https://www.rfc-editor.org/rfc/rfc1952#section-2.3.1 */
const GZIP = { extra: 4, name: 8, fixedBytes: 10 } as const;

/**
 * The name of what is packed: as gzip wrote it down, or the file's own without the suffix of the packing.
 *
 * @example innerName(head, "model.ckpt.gz") // "model.ckpt"
 */
export function innerName(head: Uint8Array, fileName: string): string {
  const base = fileName.split(/[\\/]/).at(-1) ?? "";
  const stem = base.replace(/\.(?:gz|gzip|z|zlib|zst|zstd|bz2|xz|lzma|lz4)$/i, "").replace(/\.tgz$/i, ".tar");
  return gzipName(head) ?? stem;
}

/** The original name in a gzip header, without folders. */
function gzipName(head: Uint8Array): string | undefined {
  const flags = head[3] ?? 0;
  if (packingOf(head) !== gzip || Math.floor(flags / GZIP.name) % 2 === 0) return undefined;
  const hasExtra = Math.floor(flags / GZIP.extra) % 2 === 1;
  const start = GZIP.fixedBytes + (hasExtra ? 2 + (head[10] ?? 0) + 256 * (head[11] ?? 0) : 0);
  const end = head.indexOf(0, start);
  if (end <= start) return undefined;
  return (
    String.fromCharCode(...head.subarray(start, end))
      .split(/[\\/]/)
      .at(-1) || undefined
  ); // Latin-1, as the RFC has it
}
