import {
  type ByteSource,
  bitsOf,
  DTYPES,
  isDType,
  type KernelPiece,
  type KernelResult,
  type KernelWork,
  SCAN_PART_BYTES,
  type SignalOptions,
  type Storage,
  type TensorHandle,
} from "@ckptkit/core";

/** Something whose bytes are to be worked on: a tensor, or all of a storage. */
export interface WorkItem {
  readonly tensor?: TensorHandle | undefined;
  readonly storage: Storage;
  readonly byteLength: number;
  readonly work: KernelWork;
  /** Called once, with the results of all its parts in order. */
  finish(results: readonly KernelResult[]): void;
}

/** Pieces that are run together. */
export interface PlannedJob {
  readonly pieces: readonly KernelPiece[];
  readonly byteLength: number;
  /** The tensor that it begins with, for progress. */
  readonly path: string | undefined;
  /** Takes the pieces' results. */
  finish(results: readonly KernelResult[]): void;
}

/** An item whose bytes are not in the file as they are: they are made on this thread. */
export interface LocalItem {
  readonly item: WorkItem;
}

/** Bytes of one job: some hundredths of a second of work, so that progress, pausing and cancelling are prompt and messages are few. */
const JOB_BYTES = 2 * SCAN_PART_BYTES;
/** Pieces of one job, when they are small. */
const JOB_PIECES = 512;

/**
 * Cuts items into jobs, in their order. The cuts depend on the items alone, and so do the results. Where bytes lie is found out when it is
 * their turn, since that may take a read.
 */
export async function* planWork(items: readonly WorkItem[], options: SignalOptions): AsyncGenerator<PlannedJob | LocalItem, void, void> {
  let batch = new Batch(items[0]?.tensor?.path);
  for (const item of items) {
    const place = isStoredAsItIs(item) ? await item.storage.locate(options) : undefined;
    if (!place) {
      yield { item };
      continue;
    }
    const start = place.start + (item.tensor?.spec.byteOffset ?? 0);
    const step = item.work.kind === "hash" ? Math.max(1, item.byteLength) : SCAN_PART_BYTES;
    const parts = Math.max(1, Math.ceil(item.byteLength / step));
    const collect = collector(item, parts);
    for (let part = 0; part < parts; part++) {
      const end = Math.min(item.byteLength, (part + 1) * step);
      if (batch.pieces.length > 0 && batch.byteLength + end - part * step > JOB_BYTES) {
        yield batch;
        batch = new Batch(item.tensor?.path);
      }
      batch.add(place.source, start + part * step, start + end, item.work, (result) => collect(part, result));
      if (batch.pieces.length < JOB_PIECES) continue;
      yield batch;
      batch = new Batch(item.tensor?.path);
    }
  }
  if (batch.pieces.length > 0) yield batch;
}

/** Whether an item's bytes are a run of its storage's raw bytes. */
export function isStoredAsItIs({ tensor, storage }: Pick<WorkItem, "tensor" | "storage">): boolean {
  if (!tensor) return true;
  const { spec, contiguous } = tensor;
  const swapBytes = isDType(spec.dtype) ? DTYPES[spec.dtype].swapBytes : bitsOf(spec) / 8;
  return contiguous && !spec.neg && !spec.conj && !(storage.bigEndian && swapBytes > 1);
}

function collector(item: WorkItem, parts: number): (part: number, result: KernelResult) => void {
  const results: KernelResult[] = [];
  let missing = parts;
  return (part, result) => {
    results[part] = result;
    if (--missing === 0) item.finish(results);
  };
}

class Batch implements PlannedJob {
  readonly pieces: KernelPiece[] = [];
  byteLength = 0;
  readonly path: string | undefined;
  readonly #takers: ((result: KernelResult) => void)[] = [];

  constructor(path: string | undefined) {
    this.path = path;
  }

  add(source: ByteSource, start: number, end: number, work: KernelWork, take: (result: KernelResult) => void): void {
    this.pieces.push({ source, start, end, work });
    this.#takers.push(take);
    this.byteLength += end - start;
  }

  finish(results: readonly KernelResult[]): void {
    for (const [index, take] of this.#takers.entries()) take(results[index] as KernelResult); // one a piece
  }
}
