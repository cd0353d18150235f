import { type ByteSource, type Bytes, CheckpointLoadError, checkRange, type SignalOptions, type SourceLocation } from "@ckptkit/core";
import { quoted } from "../quoted.js";
import { ChunkRuns } from "./geometry.js";
import type { DcpChunk } from "./metadata.js";

/** The bytes of one chunk, row-major and little-endian. */
export interface ChunkBytes {
  /** Fills `target` with the chunk's bytes from `start` on. */
  readInto(target: Bytes, start: number, options?: SignalOptions): Promise<void>;
  locate(options?: SignalOptions): Promise<SourceLocation | undefined>;
}

/** A chunk and the way to its bytes. */
export interface AssembledChunk {
  readonly chunk: Pick<DcpChunk, "offsets" | "sizes">;
  readonly bytes: ChunkBytes;
}

/** Bytes of a chunk that are held at a time while they are strewn over a tensor. */
const PIECE_BYTES = 4 * 1024 * 1024;

/**
 * A global tensor as one run of bytes, row-major, put together from its chunks when it is read: only the parts of chunks that
 * a read touches are fetched, and no more than a few megabytes are held besides the target.
 *
 * @param disjoint no byte is in two chunks; otherwise the later chunk counts.
 */
export function assembledSource(tensor: {
  name: string;
  shape: readonly number[];
  itemBytes: number;
  byteLength: number;
  chunks: readonly AssembledChunk[];
  disjoint: boolean;
}): ByteSource {
  const { name, shape, itemBytes, byteLength, chunks, disjoint } = tensor;
  const placed = chunks.map(({ chunk, bytes }) => ({ runs: new ChunkRuns(shape, chunk, itemBytes), bytes }));
  const readInto = async (target: Bytes, start: number, options?: SignalOptions): Promise<void> => {
    checkRange(source, start, start + target.length);
    // Overlapping chunks are told apart byte by byte.
    const seen = disjoint ? undefined : new Uint8Array(target.length);
    let filled = 0;
    for (const { runs, bytes } of placed) {
      options?.signal?.throwIfAborted();
      filled += await fill({ runs, bytes, target, start, seen }, options);
    }
    if (filled < target.length) throw hole(name, target.length - filled, start, start + target.length);
  };
  const source: ByteSource = {
    size: byteLength,
    name,
    async read(start, end, options) {
      checkRange(source, start, end);
      const target = new Uint8Array(end - start);
      await readInto(target, start, options);
      return target;
    },
    readInto,
    async locate(options) {
      // One chunk that is all of the tensor: its bytes are the tensor's.
      const [only] = placed;
      return only && placed.length === 1 && only.runs.count === 1 && only.runs.runBytes === byteLength
        ? only.bytes.locate(options)
        : undefined;
    },
  };
  return source;
}

/** One chunk's part in a read. */
interface Filling {
  runs: ChunkRuns;
  bytes: ChunkBytes;
  target: Bytes;
  /** Where the target begins in the tensor. */
  start: number;
  /** Marks the bytes that were filled by chunks before. */
  seen: Uint8Array | undefined;
}

/** Copies what a chunk has of [start, start + target.length). Returns how many bytes were filled for the first time. */
async function fill({ runs, bytes, target, start, seen }: Filling, options?: SignalOptions): Promise<number> {
  const { runBytes } = runs;
  const end = start + target.length;
  let filled = 0;
  /** Where a run meets the target: in the target and in the chunk. */
  const meets = (run: number): { to: number; from: number; length: number } => {
    const begin = runs.startOf(run);
    const first = Math.max(begin, start);
    return { to: first - start, from: run * runBytes + first - begin, length: Math.min(begin + runBytes, end) - first };
  };
  const count = (to: number, length: number): void => {
    if (!seen) filled += length;
    else for (let at = to; at < to + length; at++) if (seen[at] === 0) filled += seen[at] = 1;
  };
  const last = runs.firstFrom(end);
  // Runs follow each other without gaps in the chunk: short ones are read together.
  const together = Math.max(1, Math.floor(PIECE_BYTES / runBytes));
  for (let run = runs.firstAfter(start); run < last; run += together) {
    const ends = Math.min(run + together, last);
    const one = meets(run);
    if (ends === run + 1) {
      await bytes.readInto(target.subarray(one.to, one.to + one.length), one.from, options);
      count(one.to, one.length);
      continue;
    }
    const final = meets(ends - 1);
    const piece = new Uint8Array(final.from + final.length - one.from);
    await bytes.readInto(piece, one.from, options);
    for (let each = run; each < ends; each++) {
      const { to, from, length } = meets(each);
      target.set(piece.subarray(from - one.from, from - one.from + length), to);
      count(to, length);
    }
  }
  return filled;
}

const hole = (name: string, bytes: number, start: number, end: number): CheckpointLoadError =>
  new CheckpointLoadError(
    "TORCH_STORAGE_MISSING",
    `No chunk of the tensor ${quoted(name)} holds ${bytes} of its bytes in [${start}, ${end}).`,
    {
      details: { tensor: name, start, end, missing: bytes },
      suggestions: ["A file of the checkpoint is missing, or was not written to its end."],
    },
  );
