import {
  type ByteSource,
  type KernelPool,
  type KernelResult,
  type Kernels,
  type OperationOptions,
  type Pauser,
  runPieces,
  type Storage,
  startWork,
  type TensorHandle,
} from "@ckptkit/core";
import { localRunner, pooledRunner } from "./job-runner.js";
import { type PlannedJob, planWork, type WorkItem } from "./plan-work.js";
import { tieKeys } from "./tie-key.js";

/** How work is run: what {@link scanCheckpoint} and {@link hashTensors} have in common. */
export interface WorkOptions extends OperationOptions {
  kernels: Kernels;
  /** Workers that share the work; this thread does it when left out. The results are the same to the last bit. */
  pool?: KernelPool | undefined;
  /** Holds the work and lets it go on. */
  pauser?: Pauser | undefined;
}

/** Twenty reports of progress a second: smooth to look at, and too few to cost anything. */
const REPORT_MS = 50;
/** Bytes at a time of tensors that are put together on this thread. */
const CHUNK_BYTES = 1024 * 1024;

/**
 * Works on the bytes of all items, in the order of the file, and calls the `finish` of each. When something fails, what fails first in
 * that order is thrown, whoever met it first.
 */
export async function runWork(phase: string, items: readonly WorkItem[], options: WorkOptions): Promise<void> {
  const { kernels, pool, pauser, signal } = options;
  const runner = pool ? pooledRunner(pool, kernels) : localRunner(kernels);
  const report = reporter(phase, items, options);
  const failures: { order: number; error: unknown }[] = [];
  const running = new Set<Promise<void>>();
  let order = 0;

  const start = (job: PlannedJob): void => {
    const place = order++;
    const { add, end } = report(job.byteLength, job.path);
    const run = async (): Promise<void> => {
      try {
        job.finish(await runner.run(job, { signal, pauser, onBytes: add }));
        end();
      } catch (error) {
        failures.push({ order: place, error });
      }
    };
    const promise: Promise<void> = run().finally(() => running.delete(promise));
    running.add(promise);
  };

  try {
    for await (const planned of planWork(ordered(items), { signal })) {
      await pauser?.wait({ signal });
      signal?.throwIfAborted();
      if (failures.length > 0) break;
      if ("item" in planned) {
        const { item } = planned;
        const { add, end } = report(item.byteLength, item.tensor?.path);
        item.finish(await runHere(item, kernels, add, { signal, pauser }));
        end();
      } else start(planned);
      while (running.size >= runner.capacity && failures.length === 0) await Promise.race(running);
    }
  } catch (error) {
    failures.push({ order: order++, error });
  }
  // Jobs before the one that failed may fail as well, and are heard.
  await Promise.all(running);
  signal?.throwIfAborted();
  const [first] = failures.sort((a, b) => a.order - b.order);
  if (first) throw first.error;
}

/**
 * Work on tensors, each view of the same bytes once.
 *
 * @param finish takes the results of a tensor's parts; called for every tensor, tied ones included.
 */
export function tensorItems(
  tensors: readonly TensorHandle[],
  workOf: (index: number) => WorkItem["work"],
  finish: (tensors: readonly { tensor: TensorHandle; index: number }[], results: Parameters<WorkItem["finish"]>[0]) => void,
): WorkItem[] {
  const keyOf = tieKeys();
  const groups = new Map<string, { tensor: TensorHandle; index: number }[]>();
  for (const [index, tensor] of tensors.entries()) {
    const key = keyOf(tensor.spec);
    const group = groups.get(key);
    if (group) group.push({ tensor, index });
    else groups.set(key, [{ tensor, index }]);
  }
  const items: WorkItem[] = [];
  for (const group of groups.values()) {
    const [first] = group;
    if (!first?.tensor.storage) continue;
    const { tensor, index } = first;
    const { storage = first.tensor.storage, byteLength } = tensor;
    items.push({ tensor, storage, byteLength, work: workOf(index), finish: (results) => finish(group, results) });
  }
  return items;
}

const ordered = (items: readonly WorkItem[]): WorkItem[] => {
  const offsetOf = ({ tensor }: WorkItem): number => tensor?.spec.byteOffset ?? 0;
  return [...items].sort((a, b) => (a.storage.fileOffset ?? 0) - (b.storage.fileOffset ?? 0) || offsetOf(a) - offsetOf(b));
};

/** An item whose bytes have to be put together here: strided, big-endian, negated or inflated ones. One at a time, in order. */
async function runHere(
  { tensor, storage, byteLength, work }: WorkItem,
  kernels: Kernels,
  add: (bytes: number) => void,
  options: Pick<WorkOptions, "signal" | "pauser">,
): Promise<readonly KernelResult[]> {
  if (!tensor) {
    const source = storageSource(storage);
    return runPieces([{ source, start: 0, end: byteLength, work }], kernels, { ...options, onBytes: add });
  }
  const buffer = kernels.allocate(CHUNK_BYTES);
  const running = startWork(work, kernels);
  let at = 0;
  try {
    for await (const bytes of tensor.chunks(buffer.bytes, options)) {
      if (options.pauser?.paused) await options.pauser.wait(options);
      running.update(bytes, at);
      at += bytes.length;
      add(bytes.length);
    }
    return [running.result()];
  } finally {
    running.free();
    buffer.free();
  }
}

function storageSource(storage: Storage): ByteSource {
  const source: ByteSource = {
    size: storage.byteLength,
    name: storage.id,
    async read(start, end, options) {
      const bytes = new Uint8Array(end - start);
      await storage.readInto(bytes, start, options);
      return bytes;
    },
    readInto: (target, start, options) => storage.readInto(target, start, options),
  };
  return source;
}

/** Counts the bytes that are done over all jobs, and reports them every now and then, and once when all are done. */
function reporter(phase: string, items: readonly WorkItem[], { onProgress }: OperationOptions) {
  const total = items.reduce((sum, { byteLength }) => sum + byteLength, 0);
  let done = 0;
  let reported = 0;
  let reportedAt = Number.NEGATIVE_INFINITY;
  const add = (bytes: number, item: string | undefined): void => {
    done += bytes;
    const now = performance.now();
    if (done === reported || (done < total && now - reportedAt < REPORT_MS)) return;
    reported = done;
    reportedAt = now;
    onProgress?.({ phase, done, total, ...(item !== undefined && { item }) });
  };
  return (byteLength: number, item: string | undefined) => {
    let own = 0;
    return {
      add(bytes: number): void {
        own += bytes;
        add(bytes, item);
      },
      /** What the job has not told by now. */
      end: (): void => add(byteLength - own, item),
    };
  };
}
