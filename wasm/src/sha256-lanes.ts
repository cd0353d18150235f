import type { Bytes } from "@ckptkit/core";
import type { KernelExports } from "./kernel-exports.js";
import { HASHES } from "./wasm-hashes.js";

/** Messages that are hashed side by side. */
const LANES = 4;
const BLOCK_BYTES = 64;
const { stateBytes: STATE_BYTES, digestBytes: DIGEST_BYTES } = HASHES.sha256;
/** assembly/sha256-wide.ts */
const LANES_BYTES = 320;

/** Bytes that {@link sha256Lanes} works in: the states, and what the four have in common. */
export const SHA256_LANES_BYTES = LANES * STATE_BYTES + LANES_BYTES;

/** The kernels' memory, and the parts of it that may be used. */
interface LaneMemory {
  readonly exports: KernelExports;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** {@link SHA256_LANES_BYTES}, 16-byte aligned. */
  readonly room: number;
  /** Where bytes from elsewhere are copied to. */
  readonly scratch: number;
  readonly scratchBytes: number;
}

/** A message on its way: how much of it has been hashed. */
interface Lane {
  readonly index: number;
  readonly message: Bytes;
  readonly state: number;
  done: number;
}

/**
 * SHA-256 of every message, four side by side as long as four are left, the longest first: as many blocks as the shortest of the four still
 * has, then the next message takes its place.
 */
export function sha256Lanes(messages: readonly Bytes[], memory: LaneMemory): Uint8Array[] {
  const { exports, bytes, view, room } = memory;
  const shared = room + LANES * STATE_BYTES;
  const digests: Uint8Array[] = [];
  const waiting = messages.map((message, index) => ({ message, index })).sort((a, b) => b.message.length - a.message.length);
  const start = (state: number): Lane | undefined => {
    const next = waiting.shift();
    if (!next) return undefined;
    exports.sha256Init(state);
    return { ...next, state, done: 0 };
  };
  const finish = ({ message, done, state, index }: Lane): void => {
    for (let at = done; at < message.length; at += memory.scratchBytes) {
      const piece = message.subarray(at, at + memory.scratchBytes);
      exports.sha256Update(state, place(piece, memory, memory.scratch), piece.length);
    }
    exports.sha256Digest(state, shared);
    digests[index] = bytes.slice(shared, shared + DIGEST_BYTES);
  };
  const pieceBytes = memory.scratchBytes / LANES;
  let lanes: Lane[] = [];
  for (let lane = 0; lane < LANES; lane++) {
    const first = start(room + lane * STATE_BYTES);
    if (first) lanes.push(first);
  }
  while (lanes.length === LANES) {
    const most = Math.min(pieceBytes, ...lanes.map(({ message, done }) => message.length - done));
    const blocks = Math.floor(most / BLOCK_BYTES);
    for (const [lane, { message, done, state }] of lanes.entries()) {
      view.setUint32(shared + 4 * lane, state, true);
      const piece = message.subarray(done, done + blocks * BLOCK_BYTES);
      view.setUint32(shared + 16 + 4 * lane, place(piece, memory, memory.scratch + lane * pieceBytes), true);
    }
    if (blocks > 0) exports.sha256Four(shared, blocks);
    for (const lane of lanes) lane.done += blocks * BLOCK_BYTES;
    lanes = lanes.flatMap((lane) => {
      if (lane.message.length - lane.done >= BLOCK_BYTES) return lane;
      finish(lane);
      return start(lane.state) ?? [];
    });
  }
  for (const lane of lanes) finish(lane);
  return digests;
}

/** The address of bytes: where they are, or `target`, to which they are copied. */
function place(piece: Bytes, { bytes }: LaneMemory, target: number): number {
  if (piece.buffer === bytes.buffer) return piece.byteOffset;
  bytes.set(piece, target);
  return target;
}
