import type { Bytes } from "@ckptkit/core";

/** The last bytes of a table: two places of blocks, padded, and a magic number. */
export const FOOTER_BYTES = 48;
const MAGIC_BYTES = 8;
const MAGIC = 0xdb4775248b80fb57n;

/** Whether bytes end as a table does. */
export function endsAsTable(bytes: Bytes): boolean {
  if (bytes.length < FOOTER_BYTES) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return view.getBigUint64(bytes.length - MAGIC_BYTES, true) === MAGIC;
}
