import {
  CheckpointError,
  createKernelPool,
  DESCRIPTOR_KINDS,
  type KernelPool,
  type PoolAnswer,
  type PoolOptions,
  type PoolWorker,
} from "@ckptkit/core";
import { compileKernels } from "@ckptkit/wasm";
import { startPoolWorker, startWorkerFrom } from "../start-pool-worker.js";

/** What {@link workerPool} takes. */
export interface WorkerPoolOptions {
  /** Workers at most; one for each core, and no more than {@link MAX_WORKERS}, when left out. */
  size?: number | undefined;
  /** Where the script of the worker (`@ckptkit/browser/pool-worker.js`) is hosted, when a bundler has not seen to it. */
  workerUrl?: string | URL | undefined;
  /** Makes a worker that runs that script: for set-ups that have a way of their own. */
  createWorker?: (() => Worker) | undefined;
}

/** More workers than this share one disk and one memory to no gain, and each has some tens of megabytes of its own. */
export const MAX_WORKERS = 8;

/**
 * Web Workers that run the kernels. They open files and addresses by themselves; memory of the page's own is shared with them where the page is
 * isolated, and handed over in pieces where it is not. The first of them is up when this resolves, the others are started as they are needed.
 *
 * @throws {CheckpointError} WORKERS_UNAVAILABLE when a worker cannot be started here; the reason is told. Everything works without a pool
 * as well, with the same results.
 * @example
 * const pool = await workerPool();
 * const { totals } = await scanCheckpoint(checkpoint, { kernels, pool });
 * pool.close();
 */
export async function workerPool(options: WorkerPoolOptions = {}): Promise<KernelPool> {
  const size = Math.max(1, options.size ?? Math.min(MAX_WORKERS, navigator.hardwareConcurrency || 2));
  const module = await compileKernels().catch((error: unknown) => {
    if (error instanceof CheckpointError && error.code === "KERNELS_UNAVAILABLE") return undefined;
    throw error;
  });
  const create =
    options.createWorker ?? (options.workerUrl === undefined ? startPoolWorker : () => startWorkerFrom(options.workerUrl ?? ""));
  const pool = createKernelPool({
    size,
    kinds: DESCRIPTOR_KINDS,
    module,
    start: (receive, ended) => startedWorker(create(), receive, ended),
    // Pages without https have no locks; there only a worker that fails loudly is noticed.
    ...(navigator.locks && { watch: watchLock }),
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
  worker.onmessage = ({ data }: MessageEvent<PoolAnswer>) => receive(data);
  worker.onerror = (event) => {
    event.preventDefault();
    ended(event.message || "its script could not be loaded or has failed");
  };
  worker.onmessageerror = () => ended("a message could not be read");
  return {
    post: (request, transfer) => worker.postMessage(request, [...transfer]),
    terminate: () => worker.terminate(),
  };
}

/**
 * A worker that ends by itself (killed for its memory, say) tells nobody. It holds a lock as long as it lives; who gets that lock knows
 * that it has ended.
 */
const watchLock: NonNullable<PoolOptions["watch"]> = (ended) => {
  const lock = `ckptkit worker ${crypto.randomUUID()}`;
  const controller = new AbortController();
  return {
    lock,
    held() {
      const request = navigator.locks.request(lock, { signal: controller.signal }, () => {
        if (!controller.signal.aborted) ended();
      });
      // Aborted: nobody wants to know any more.
      request.catch(() => {});
    },
    stop: () => controller.abort(),
  };
};
