import type { ErrorData } from "./error-data.js";
import type { KernelJob, KernelResult } from "./kernel-job.js";

/** What a pool says to one of its workers. */
export type PoolRequest =
  /** The first message. Without a module the worker uses the plain JavaScript kernels. */
  | { readonly type: "start"; readonly module: WebAssembly.Module | undefined; readonly lock: string | undefined }
  | { readonly type: "run"; readonly id: number; readonly job: KernelJob; readonly paused: boolean }
  | { readonly type: "pause" | "resume" | "cancel"; readonly id: number }
  /** Nothing is left to do: sources can be closed. */
  | { readonly type: "idle" };

/** What a worker says to its pool. */
export type PoolAnswer =
  /** The worker can work. It holds the lock by now, if it was given one. */
  | { readonly type: "ready" }
  /** The worker cannot work at all. */
  | { readonly type: "unfit"; readonly error: ErrorData }
  | { readonly type: "bytes"; readonly id: number; readonly bytes: number }
  | { readonly type: "done"; readonly id: number; readonly results: readonly KernelResult[] }
  | { readonly type: "failed"; readonly id: number; readonly error: ErrorData };
