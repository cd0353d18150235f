/*
 * The frame that SHA-256 and MD5 share: 64-byte blocks, padding 0x80 0x00..., then the length in bits.
 *
 * State, 256 bytes, owned by the caller:
 *     byte     type       what
 *        0     u32[8]     chaining value (MD5 uses four words)
 *       32     u64        bytes hashed so far
 *       64     u8[64]     the block that is being filled; (bytes so far & 63) of it are used
 *      128     u8[128]    room for a copy of the first 128 bytes: a digest is made there and leaves the hash as it was
 * SHA-256 uses 256 more bytes, see there.
 */

export const LENGTH: usize = 32;
export const BLOCK: usize = 64;
export const COPY: usize = 128;

/** Puts the padding and a 64-bit length after the bytes in the block of `state`; true when the length did not fit any more. */
export function padBlock(state: usize): bool {
  const used = <usize>(load<u64>(state, LENGTH) & 63);
  store<u8>(state + BLOCK + used, 0x80);
  memory.fill(state + BLOCK + used + 1, 0, 63 - used);
  return used >= 56;
}
