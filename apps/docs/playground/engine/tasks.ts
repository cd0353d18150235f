import type { OperationOptions, Progress } from "@ckptkit/core";
import { Gate, holdReads } from "./gate.js";

/** Names a long operation; made by the page, so that it can be cancelled before its first answer. */
export type TaskId = number;

/** Progress of one task. */
export interface TaskProgress extends Progress {
  readonly task: TaskId;
}

/** What the work of a task is given: options for any operation, whose reads wait while the task is paused. */
export interface TaskOptions extends Required<Pick<OperationOptions, "onProgress">> {
  readonly signal: AbortSignal;
  /** Resolves at once, or when the task is resumed: for loops that do not read. */
  pass(): Promise<void>;
}

/** Reports are passed on at the pace at which a screen can show them. */
const REPORT_EVERY_MS = 60;

interface Task {
  readonly controller: AbortController;
  readonly gate: Gate;
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
    const task: Task = { controller: new AbortController(), gate: new Gate() };
    const { signal } = task.controller;
    this.#running.set(id, task);
    holdReads(signal, task.gate);
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
        pass: async () => {
          await task.gate.pass();
          signal.throwIfAborted();
        },
      });
    } finally {
      if (last) report(last);
      this.#running.delete(id);
    }
  }

  pause(id: TaskId): void {
    this.#running.get(id)?.gate.close();
  }

  resume(id: TaskId): void {
    this.#running.get(id)?.gate.open();
  }

  cancel(id: TaskId): void {
    const task = this.#running.get(id);
    task?.controller.abort();
    task?.gate.open();
  }
}
