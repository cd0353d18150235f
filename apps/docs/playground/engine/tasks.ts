import { type OperationOptions, Pauser, type Progress } from "@ckptkit/core";
import { holdReads } from "./gate.js";

/** Names a long operation; made by the page, so that it can be cancelled before its first answer. */
export type TaskId = number;

/** Progress of one task. */
export interface TaskProgress extends Progress {
  readonly task: TaskId;
}

/** What the work of a task is given: options for any operation, whose reads wait while the task is paused. */
export interface TaskOptions extends Required<Pick<OperationOptions, "onProgress">> {
  readonly signal: AbortSignal;
  /** For verbs that take one, and for loops that do not read. */
  readonly pauser: Pauser;
}

/** Reports are passed on at the pace at which a screen can show them. */
const REPORT_EVERY_MS = 60;

interface Task {
  readonly controller: AbortController;
  readonly pauser: Pauser;
}

/** The long operations that run now: started by other areas, paused, resumed and cancelled by the page. */
export class Tasks {
  readonly #running = new Map<TaskId, Task>();
  #listener: ((progress: TaskProgress) => void) | undefined;

  /** Where progress goes. */
  listen(listener: (progress: TaskProgress) => void): void {
    this.#listener = listener;
  }

  /**
   * Runs `work` as the task `id`.
   *
   * @throws what `work` throws; an AbortError when it was cancelled
   * @example return tasks.run(id, (options) => scanCheckpoint(checkpoint, { kernels, ...options }));
   */
  async run<T>(id: TaskId, work: (options: TaskOptions) => Promise<T>): Promise<T> {
    const task: Task = { controller: new AbortController(), pauser: new Pauser() };
    const { signal } = task.controller;
    this.#running.set(id, task);
    holdReads(signal, task.pauser);
    let reported = Number.NEGATIVE_INFINITY;
    let last: Progress | undefined;
    const report = (progress: Progress): void => {
      last = undefined;
      reported = performance.now();
      this.#listener?.({ ...progress, task: id });
    };
    try {
      return await work({
        signal,
        onProgress: (progress) => {
          if (performance.now() - reported >= REPORT_EVERY_MS) report(progress);
          else last = progress;
        },
        pauser: task.pauser,
      });
    } finally {
      if (last) report(last);
      this.#running.delete(id);
    }
  }

  pause(id: TaskId): void {
    this.#running.get(id)?.pauser.pause();
  }

  resume(id: TaskId): void {
    this.#running.get(id)?.pauser.resume();
  }

  cancel(id: TaskId): void {
    const task = this.#running.get(id);
    task?.controller.abort();
    task?.pauser.resume();
  }
}
