import {
  type ByteSource,
  type Checkpoint,
  CheckpointError,
  crcMismatch,
  type HashAlgorithm,
  type Kernels,
  type OperationOptions,
  readInto,
  type Storage,
  type TensorHandle,
} from "@ckptkit/core";
import { ZipCrcFollower } from "@ckptkit/formats";
import { refuseDamaged } from "./integrity.js";
import { PIECE_BYTES } from "./piece-bytes.js";
import { isStoredAsItIs, type WorkItem } from "./plan-work.js";
import { runWork, tensorItems, type WorkOptions } from "./run-work.js";
import type { SelectTensor } from "./select.js";

/** What to hash with. */
export interface HashOptions extends OperationOptions {
  kernels: Kernels;
  algorithm: HashAlgorithm;
  /** Checks the CRC-32 that the container recorded, as the bytes go by. Default true. */
  checkCrc?: boolean | undefined;
}

/** Also what of it to hash. */
export interface TensorHashOptions extends HashOptions, WorkOptions {
  /** All tensors that have bytes when left out. */
  select?: SelectTensor | undefined;
}

/**
 * The digest of every tensor's contiguous, row-major, little-endian bytes: equal for equal tensors, however and in whatever
 * format they are stored.
 *
 * @throws {CheckpointIntegrityError} CRC_MISMATCH
 * @example const { tensors } = await hashTensors(checkpoint, { kernels, algorithm: "sha256" });
 */
export async function hashTensors(
  checkpoint: Checkpoint,
  options: TensorHashOptions,
): Promise<{ algorithm: HashAlgorithm; tensors: { path: string; digest: string }[] }> {
  const { algorithm, select, checkCrc = true } = options;
  const tensors = checkpoint.tensors.filter((tensor) => tensor.storage && (!select || select(tensor)));
  if (checkCrc) refuseDamaged(checkpoint);
  const digests: string[] = [];
  const items = tensorItems(
    tensors,
    () => ({ kind: "hash", algorithms: [algorithm] }),
    (same, results) => {
      for (const { index } of same) digests[index] = digestOf(results, 0);
    },
  );
  const checks = checkCrc ? checkStorages(tensors, items) : undefined;
  await runWork("hash", checks?.items ?? items, options);
  checks?.verify();
  return { algorithm, tensors: tensors.map(({ path }, index) => ({ path, digest: digests[index] ?? "" })) };
}

/**
 * Adds the CRC of every storage to the work: in the same pass where a tensor is all of its storage, else as an item of its own.
 *
 * @returns the items, and what throws CRC_MISMATCH for the first storage whose bytes are not those that were recorded
 */
function checkStorages(tensors: readonly TensorHandle[], items: readonly WorkItem[]): { items: WorkItem[]; verify(): void } {
  const found = new Map<Storage, string | undefined>();
  for (const { storage } of tensors) if (storage?.crc) found.set(storage, undefined);
  const covered = new Set<Storage>();
  const withCrc = items.map((item): WorkItem => {
    const { storage, byteLength, work, finish } = item;
    const isAll = byteLength === storage.byteLength && isStoredAsItIs(item);
    if (!isAll || !found.has(storage) || covered.has(storage) || work.kind !== "hash") return item;
    covered.add(storage);
    return {
      ...item,
      work: { kind: "hash", algorithms: [...work.algorithms, storage.crc?.algorithm ?? "crc32"] },
      finish: (results) => {
        found.set(storage, digestOf(results, work.algorithms.length));
        finish(results);
      },
    };
  });
  for (const storage of found.keys()) {
    if (covered.has(storage)) continue;
    const finish: WorkItem["finish"] = (results) => void found.set(storage, digestOf(results, 0));
    withCrc.push({
      storage,
      byteLength: storage.byteLength,
      work: { kind: "hash", algorithms: [storage.crc?.algorithm ?? "crc32"] },
      finish,
    });
  }
  return {
    items: withCrc,
    verify() {
      for (const [storage, hex = ""] of found) {
        const { id, crc } = storage;
        const value = Number.parseInt(hex, 16);
        if (crc && value !== crc.value) throw crcMismatch(id, crc.value, value, crc.algorithm);
      }
    },
  };
}

function digestOf(results: Parameters<WorkItem["finish"]>[0], which: number): string {
  const [result] = results;
  const digest = result?.kind === "hash" ? result.digests[which] : undefined;
  if (digest === undefined) throw new CheckpointError("INTERNAL", "A hash was asked for, and something else was computed.");
  return digest;
}

/**
 * The digest of all bytes of a source, as `sha256sum` and its kind give it. Where the source is a zip archive, the CRC-32 of
 * its members is checked in the same pass.
 *
 * @throws {CheckpointIntegrityError} CRC_MISMATCH
 * @example const { digest } = await hashSource(await fileSource("model.ckpt"), { kernels, algorithm: "blake3" });
 */
export async function hashSource(
  source: ByteSource,
  options: HashOptions,
): Promise<{ algorithm: HashAlgorithm; byteLength: number; digest: string }> {
  const { kernels, algorithm } = options;
  const follower = options.checkCrc === false ? undefined : await ZipCrcFollower.follow(source, kernels, options);
  const hasher = kernels.hasher(algorithm);
  const buffer = kernels.allocate(PIECE_BYTES);
  try {
    for (let start = 0; start < source.size; start += PIECE_BYTES) {
      options.signal?.throwIfAborted();
      const piece = buffer.bytes.subarray(0, Math.min(PIECE_BYTES, source.size - start));
      await readInto(source, piece, start, options);
      hasher.update(piece);
      follower?.update(piece);
      options.onProgress?.({ phase: "hash", done: start + piece.length, total: source.size });
    }
    await follower?.finish(options);
    return { algorithm, byteLength: source.size, digest: hasher.hexDigest() };
  } finally {
    follower?.cancel();
    buffer.free();
    hasher.free();
  }
}
