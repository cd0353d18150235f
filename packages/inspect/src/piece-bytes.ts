/** Bytes that pass through kernel memory at a time. */
export const PIECE_BYTES = 4 * 1024 * 1024;
