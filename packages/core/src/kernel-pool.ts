import { errorFromData } from "./error-data.js";
import { CheckpointError } from "./errors.js";
import type { KernelJob, KernelResult } from "./kernel-job.js";
import type { PoolAnswer, PoolRequest } from "./pool-messages.js";
import type { RunPiecesOptions } from "./run-pieces.js";

/** Threads that run the kernels, so that a page stays smooth and every core works. Results do not depend on how many there are. */
export interface KernelPool {
  /** How many workers there are at most. */
  readonly size: number;
  /** Kinds of source descriptors that the workers open by themselves; the bytes of other sources are sent to them. */
  readonly kinds: readonly string[];
  /** Jobs worth handing over at a time, so that no worker waits for the next. */
  readonly capacity: number;
  /**
   * Runs a job in whichever worker is free and gives the results of its pieces in order.
   *
   * @param options.transfer memory of the job's own that is handed over rather than copied
   * @throws {CheckpointError} WORKER_FAILED when the worker stopped, WORKERS_UNAVAILABLE when none could be started, INTERNAL after `close`
   * @throws what reading the sources throws; the signal's reason when it is aborted
   */
  run(job: KernelJob, options?: RunPiecesOptions & { transfer?: readonly ArrayBuffer[] }): Promise<readonly KernelResult[]>;
  /** Ends the workers. What still runs fails. */
  close(): void;
}

/** A worker as a pool sees it, whatever it runs on. */
export interface PoolWorker {
  post(request: PoolRequest, transfer: readonly ArrayBuffer[]): void;
  terminate(): void;
}

/** How a pool gets its workers. */
export interface PoolOptions {
  size: number;
  kinds: readonly string[];
  /** The compiled kernels; the workers use the plain JavaScript ones when left out. */
  module?: WebAssembly.Module | undefined;
  /** Starts a worker. It calls `receive` with every message, and `ended` once when the worker has stopped or never came up. */
  start(receive: (answer: PoolAnswer) => void, ended: (why: unknown) => void): PoolWorker;
  /** Makes the name of a lock that a worker holds while it lives, and watches that it is held; see {@link PoolRequest}. */
  watch?: ((ended: () => void) => { lock: string; held(): void; stop(): void }) | undefined;
}

/**
 * Jobs that a worker has at a time: while the kernels work for one, bytes of the other are being read, so that no worker waits between two
 * jobs.
 */
const JOBS_A_WORKER = 2;

interface Task {
  readonly id: number;
  readonly job: KernelJob;
  readonly options: RunPiecesOptions & { transfer?: readonly ArrayBuffer[] };
  settle(outcome: { results: readonly KernelResult[] } | { error: unknown }): void;
}

interface Member {
  readonly worker: PoolWorker;
  readonly tasks: Map<number, Task>;
  readonly watch: { held(): void; stop(): void } | undefined;
  ready: boolean;
}

/**
 * A pool over any kind of worker. Workers are started when there is work for them; one that has died is replaced when there is work again,
 * and what it was doing fails.
 *
 * @example const pool = createKernelPool({ size: 4, kinds: DESCRIPTOR_KINDS, module, start });
 */
export function createKernelPool(options: PoolOptions): KernelPool & { ready(): Promise<void> } {
  const members = new Set<Member>();
  const queue: Task[] = [];
  /** Who waits for the first worker to be ready. */
  const waiting = new Set<{ resolve(): void; reject(error: unknown): void }>();
  let closed: CheckpointError | undefined;
  let ids = 0;

  const remove = (member: Member, error: unknown): void => {
    if (!members.delete(member)) return;
    member.watch?.stop();
    member.worker.terminate();
    for (const waiter of waiting) waiter.reject(error);
    waiting.clear();
    for (const task of [...member.tasks.values()]) task.settle({ error });
    // Without a worker that ever came up, others would not fare better.
    if (!member.ready) for (const task of queue.splice(0)) task.settle({ error });
    dispatch();
  };

  const receive = (member: Member, answer: PoolAnswer): void => {
    if (answer.type === "ready") {
      member.ready = true;
      member.watch?.held();
      for (const waiter of waiting) waiter.resolve();
      waiting.clear();
      return;
    }
    if (answer.type === "unfit") {
      remove(member, errorFromData(answer.error));
      return;
    }
    const task = member.tasks.get(answer.id);
    if (answer.type === "bytes") {
      task?.options.onBytes?.(answer.bytes);
      return;
    }
    member.tasks.delete(answer.id);
    task?.settle(answer.type === "done" ? { results: answer.results } : { error: errorFromData(answer.error) });
    dispatch();
  };

  const startMember = (): Member => {
    const ended = (why: unknown): void => remove(member, workerFailed(member.ready, why));
    const watch = options.watch?.(() => ended(undefined));
    const worker = options.start((answer) => receive(member, answer), ended);
    const member: Member = { worker, watch, tasks: new Map(), ready: false };
    members.add(member);
    worker.post({ type: "start", module: options.module, lock: watch?.lock }, []);
    return member;
  };

  /** The worker that has least to do; a new one rather than one that is busy. */
  const freeMember = (): Member | undefined => {
    const idlest = [...members].sort((a, b) => a.tasks.size - b.tasks.size)[0];
    if (members.size < options.size && (!idlest || idlest.tasks.size > 0)) return startMember();
    return idlest && idlest.tasks.size < JOBS_A_WORKER ? idlest : undefined;
  };

  const dispatch = (): void => {
    while (queue.length > 0 && !closed) {
      let member: Member | undefined;
      try {
        member = freeMember();
      } catch (error) {
        for (const task of queue.splice(0)) task.settle({ error: workerFailed(false, error) });
        return;
      }
      if (!member) return;
      const task = queue.shift() as Task; // there is one, as the loop has just seen
      member.tasks.set(task.id, task);
      const { pauser, transfer = [] } = task.options;
      try {
        member.worker.post({ type: "run", id: task.id, job: task.job, paused: pauser?.paused ?? false }, transfer);
      } catch (error) {
        // A descriptor that cannot be cloned.
        member.tasks.delete(task.id);
        task.settle({ error });
      }
    }
    if (queue.length === 0) for (const { tasks, worker } of members) if (tasks.size === 0) worker.post({ type: "idle" }, []);
  };

  /** Tells the worker that has the task; false when it is still in the queue. */
  const tell = (id: number, type: "pause" | "resume" | "cancel"): void => {
    for (const { tasks, worker } of members) if (tasks.has(id)) worker.post({ type, id }, []);
  };

  return {
    size: options.size,
    kinds: options.kinds,
    capacity: options.size * JOBS_A_WORKER,
    ready() {
      if ([...members].some(({ ready }) => ready)) return Promise.resolve();
      return new Promise((resolve, reject) => {
        waiting.add({ resolve, reject });
        try {
          if (members.size === 0) startMember();
        } catch (error) {
          waiting.clear();
          reject(workerFailed(false, error));
        }
      });
    },
    run(job, runOptions = {}) {
      const { signal, pauser } = runOptions;
      return new Promise((resolve, reject) => {
        if (closed) throw closed;
        signal?.throwIfAborted();
        const id = ids++;
        const unwatch = pauser?.watch((paused) => tell(id, paused ? "pause" : "resume"));
        const abort = (): void => {
          tell(id, "cancel");
          const at = queue.findIndex((task) => task.id === id);
          if (at >= 0) queue.splice(at, 1);
          // The worker's answer, which comes later, makes room for the next job; nobody waits for it any more.
          settle({ error: signal?.reason });
        };
        const settle: Task["settle"] = (outcome) => {
          signal?.removeEventListener("abort", abort);
          unwatch?.();
          if ("results" in outcome) resolve(outcome.results);
          else reject(outcome.error);
        };
        signal?.addEventListener("abort", abort, { once: true });
        queue.push({ id, job, options: runOptions, settle });
        dispatch();
      });
    },
    close() {
      closed ??= new CheckpointError("INTERNAL", "A pool of workers was used after it had been closed.");
      for (const task of queue.splice(0)) task.settle({ error: closed });
      for (const member of [...members]) remove(member, closed);
    },
  };
}

function workerFailed(wasReady: boolean, why: unknown): CheckpointError {
  const said = why instanceof Error ? why.message : typeof why === "string" && why !== "" ? why : undefined;
  const because = said === undefined ? "" : `: ${said}`;
  if (wasReady) {
    return new CheckpointError("WORKER_FAILED", `A worker thread stopped before its work was done${because}.`, {
      cause: why,
      suggestions: ["The machine may be out of memory: use fewer workers, or none.", "Run it again."],
    });
  }
  return new CheckpointError("WORKERS_UNAVAILABLE", `No worker thread could be started${because}.`, {
    cause: why,
    suggestions: [
      "Go on without workers: the results are the same, and it takes longer.",
      "In a page, see whether the worker's script can be loaded, and whether the Content-Security-Policy allows it (worker-src 'self').",
    ],
  });
}
