import {
  type ByteSource,
  type KernelJob,
  type KernelPool,
  type KernelResult,
  type KernelSource,
  type Kernels,
  type RunPiecesOptions,
  runPieces,
} from "@ckptkit/core";
import type { PlannedJob } from "./plan-work.js";

/** Whatever runs jobs. */
export interface JobRunner {
  /** Jobs worth starting at a time. */
  readonly capacity: number;
  run(job: PlannedJob, options: RunPiecesOptions): Promise<readonly KernelResult[]>;
}

/** Runs jobs on this thread: two at a time, so that bytes of one are being read while the kernels work for the other. */
export function localRunner(kernels: Kernels): JobRunner {
  return { capacity: 2, run: (job, options) => runPieces(job.pieces, kernels, options) };
}

/** Bytes of one piece that are read here and sent to a worker that cannot open their source. Longer pieces are run on this thread. */
const MAX_SENT_BYTES = 64 * 1024 * 1024;

let keys = 0;

/** Runs jobs in a pool's workers. They read by themselves where they can open the source; other bytes are read here and handed over. */
export function pooledRunner(pool: KernelPool, kernels: Kernels): JobRunner {
  const described = new Map<ByteSource, KernelSource | undefined>();
  const describe = (source: ByteSource): KernelSource | undefined => {
    if (!described.has(source)) {
      const descriptor = source.descriptor?.();
      const opens = descriptor !== undefined && pool.kinds.includes(descriptor.kind);
      // A number of this run's own: whoever opens the same file later may find another version of it.
      described.set(source, opens ? { key: `source ${keys++}`, descriptor } : undefined);
    }
    return described.get(source);
  };
  return {
    capacity: pool.capacity,
    async run({ pieces }, options) {
      const sources: KernelSource[] = [];
      const transfer: ArrayBuffer[] = [];
      const places = new Map<ByteSource, number>();
      const plain: KernelJob["pieces"][number][] = [];
      for (const { source, start, end, work } of pieces) {
        const known = describe(source);
        if (known) {
          const place = places.get(source) ?? sources.push(known) - 1;
          places.set(source, place);
          plain.push({ source: place, start, end, work });
          continue;
        }
        if (end - start > MAX_SENT_BYTES) return runPieces(pieces, kernels, options);
        await options.pauser?.wait(options);
        const bytes = await source.read(start, end, options);
        if (bytes.buffer instanceof ArrayBuffer) transfer.push(bytes.buffer);
        const place = sources.push({ key: `bytes ${keys++}`, descriptor: { kind: "memory", bytes, name: source.name } }) - 1;
        plain.push({ source: place, start: 0, end: bytes.length, work });
      }
      return pool.run({ sources, pieces: plain }, { ...options, transfer });
    },
  };
}
