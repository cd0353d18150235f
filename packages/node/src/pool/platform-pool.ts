import { CheckpointError, type KernelPool, type Platform } from "@ckptkit/core";
import { defaultWorkers, type WorkerPoolOptions, workerPool } from "./worker-pool.js";

/** The threads of a platform. */
export interface PlatformWorkersOptions extends WorkerPoolOptions {
  /**
   * Bytes of work from which on threads are started; {@link POOL_FROM_BYTES} when left out. Threads that run already are used for less as
   * well.
   */
  fromBytes?: number | undefined;
}

/**
 * Threads are up after some hundredths of a second. On two cores two of them scan as much more in that time as one thread without them takes
 * for about this many bytes (`pnpm bench --only workers`): for less they would make it slower.
 */
export const POOL_FROM_BYTES = 256 * 1024 * 1024;

/**
 * What gives a platform's pool: the same one to all who ask, started when the first work comes that is worth it.
 *
 * @returns undefined from it where threads cannot be started, or where there is one core only, since everything works without them as well
 */
export function platformPool(options: PlatformWorkersOptions = {}): NonNullable<Platform["pool"]> {
  const { size = defaultWorkers(), fromBytes = POOL_FROM_BYTES } = options;
  let pool: Promise<KernelPool | undefined> | undefined;
  return async (work) => {
    // A single thread that was asked for leaves this one free for other things.
    if (size < 2 && options.size === undefined) return undefined;
    if (!pool && work && work.byteLength < fromBytes) return undefined;
    pool ??= workerPool({ ...options, size }).catch((error: unknown) => {
      if (error instanceof CheckpointError && error.code === "WORKERS_UNAVAILABLE") return undefined;
      throw error;
    });
    return pool;
  };
}
