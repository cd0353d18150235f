import { Worker, type WorkerOptions } from "node:worker_threads";

/** Preloads and flags of the process are not the worker's: they would only slow its start. */
const OPTIONS: WorkerOptions = { name: "ckptkit", execArgv: [] };

/**
 * Starts the worker that comes with this package. It stands beside the built package's `index.js`, and is named here in the one way that webpack understands
 * as well.
 */
export const startPoolWorker = (): Worker => new Worker(new URL("./pool-worker.js", import.meta.url), OPTIONS);

/** Starts a worker from a script elsewhere. */
export const startWorkerFrom = (url: string | URL): Worker => new Worker(new URL(url), OPTIONS);
