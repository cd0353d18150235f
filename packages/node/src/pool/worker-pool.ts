import { availableParallelism } from "node:os";
import type { Worker } from "node:worker_threads";
import { createKernelPool, DESCRIPTOR_KINDS, type KernelPool, type PoolAnswer, type PoolWorker } from "@ckptkit/core";
import { compiledKernels } from "../load-kernels.js";
import { startPoolWorker, startWorkerFrom } from "../start-pool-worker.js";
import { FILE_KIND } from "./file-descriptor.js";

/** What {@link workerPool} takes. */
export interface WorkerPoolOptions {
  /** Threads at most; {@link defaultWorkers} when left out. */
  size?: number | undefined;
  /** The `file:` address of the worker's script (`@ckptkit/node/pool-worker.js`), where a bundler has separated it from this package. */
  workerUrl?: string | URL | undefined;
  /** Makes a worker that runs that script: for set-ups that have a way of their own. */
  createWorker?: (() => Worker) | undefined;
}

/** More threads than this share one disk and one memory to no gain, and each has some tens of megabytes of its own. */
const MAX_DEFAULT_WORKERS = 4;

/** How many threads a pool has by default: one for each core that this process may use, four at most. */
export const defaultWorkers = (): number => Math.min(MAX_DEFAULT_WORKERS, availableParallelism());

/**
 * Threads that run the kernels. They open files and addresses by themselves and read straight into their kernels' memory, so no byte passes through this
 * thread. The first of them is up when this resolves, the others are started as they are needed; while nothing runs they do not keep the process
 * alive.
 *
 * @throws {CheckpointError} WORKERS_UNAVAILABLE when a thread cannot be started here; the reason is told. Everything works without a pool
 * as well, with the same results.
 * @example
 * const pool = await workerPool({ size: 4 });
 * const { totals } = await scanCheckpoint(checkpoint, { kernels, pool });
 * pool.close();
 */
export async function workerPool(options: WorkerPoolOptions = {}): Promise<KernelPool> {
  const { workerUrl, createWorker } = options;
  const module = await compiledKernels();
  const create = createWorker ?? (workerUrl === undefined ? startPoolWorker : () => startWorkerFrom(workerUrl));
  const pool = createKernelPool({
    size: Math.max(1, options.size ?? defaultWorkers()),
    kinds: [...DESCRIPTOR_KINDS, FILE_KIND],
    module,
    start: (receive, ended) => startedWorker(create(), receive, ended),
  });
  try {
    await pool.ready();
    return pool;
  } catch (error) {
    pool.close();
    throw error;
  }
}

function startedWorker(worker: Worker, receive: (answer: PoolAnswer) => void, ended: (why: unknown) => void): PoolWorker {
  let jobs = 0;
  let ready = false;
  /** A thread that has nothing to do does not keep the process alive. */
  const hold = (): void => {
    if (ready && jobs === 0) worker.unref();
    else worker.ref();
  };
  worker.on("message", (answer: PoolAnswer) => {
    ready = true;
    if (answer.type === "done" || answer.type === "failed") jobs--;
    hold();
    receive(answer);
  });
  worker.on("error", ended);
  worker.on("messageerror", () => ended("a message could not be read"));
  // Whatever ends a thread, its memory or a crash, is told here, and never leaves anybody waiting.
  worker.on("exit", (code) => ended(`it ended with exit code ${code}`));
  return {
    post(request, transfer) {
      worker.postMessage(request, [...transfer]);
      if (request.type === "run") jobs++;
      hold();
    },
    terminate: () => void worker.terminate(),
  };
}
