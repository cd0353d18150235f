import type { Bytes } from "./byte-source.js";
import { hexText } from "./hex-text.js";
import type { KernelPiece } from "./kernel-job.js";
import type { HashAlgorithm, Kernels } from "./kernels.js";
import type { PlannedRead } from "./plan-reads.js";

/** Digests of the pieces that are to be hashed and lie in one read from start to end, by index: kernels can hash several of them at a time. */
export function wholeDigests(
  { runs }: PlannedRead,
  bytes: Bytes,
  pieces: readonly KernelPiece[],
  kernels: Kernels,
): Map<number, readonly string[]> {
  const found = new Map<number, string[]>();
  const messages = new Map<HashAlgorithm, { digests: string[]; place: number; message: Bytes }[]>();
  for (const { piece, from, to, at, last } of runs) {
    const work = pieces[piece]?.work;
    if (!last || at > 0 || work?.kind !== "hash") continue;
    const digests: string[] = [];
    found.set(piece, digests);
    for (const [place, algorithm] of work.algorithms.entries()) {
      const same = messages.get(algorithm) ?? [];
      if (same.length === 0) messages.set(algorithm, same);
      same.push({ digests, place, message: bytes.subarray(from, to) });
    }
  }
  for (const [algorithm, same] of messages) {
    const results = kernels.digests(
      algorithm,
      same.map(({ message }) => message),
    );
    for (const [index, { digests, place }] of same.entries()) digests[place] = hexText(results[index] ?? new Uint8Array(0));
  }
  return found;
}
