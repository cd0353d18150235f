/** What a part of a database is, by its magic number. @see https://google.github.io/tensorstore/kvstore/ocdbt/index.html#storage-format */
export const MAGIC = { manifest: 0x0cdb3a2a, versions: 0x0cdb1234, node: 0x0cdb20de } as const;

/** Bytes of the smallest part. */
export const LEAST_BYTES = 16;

/** Whether bytes begin as a manifest does. */
export const isManifest = (head: Uint8Array): boolean =>
  head.length >= LEAST_BYTES && new DataView(head.buffer, head.byteOffset, 4).getUint32(0) === MAGIC.manifest;
