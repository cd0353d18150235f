import * as Comlink from "comlink";
import type { Engine } from "./engine.worker.js";
import { installErrorTransfer } from "./errors.js";
import type { TaskId, TaskProgress } from "./tasks.js";

/** A function of the engine, called from the page: the same, with its answer to be waited for. */
type RemoteCall<F> = F extends (...args: infer A) => infer R ? (...args: A) => Promise<Awaited<R>> : never;

/** The engine as the page sees it: areas, and their functions. */
export type RemoteEngine = { readonly [Area in keyof Engine]: { readonly [Name in keyof Engine[Area]]: RemoteCall<Engine[Area][Name]> } };

let engine: RemoteEngine | undefined;
const listeners = new Map<TaskId, (progress: TaskProgress) => void>();
let nextTask: TaskId = 1;

/**
 * The engine, in its worker. The worker and everything that it needs are loaded by the first call: when a person opens something, or is
 * about to.
 */
export function useEngine(): RemoteEngine {
  if (engine) return engine;
  installErrorTransfer();
  const worker = new Worker(new URL("./engine.worker.ts", import.meta.url), { type: "module", name: "ckptkit engine" });
  // Comlink's own type does not see into areas; at run time any path of properties is passed on.
  engine = Comlink.wrap(worker) as unknown as RemoteEngine;
  const onProgress = (progress: TaskProgress): void => listeners.get(progress.task)?.(progress);
  void engine.tasks.listen(Comlink.proxy(onProgress));
  return engine;
}

/** A long operation in the engine. */
export interface RunningTask<T> {
  readonly result: Promise<T>;
  pause(): void;
  resume(): void;
  /** The result then rejects with the code ABORTED. */
  cancel(): void;
}

/**
 * Starts a long operation.
 *
 * @param call makes the call, with the number that names the task
 * @example const task = startTask((engine, id) => engine.files.open(id, request), (progress) => show(progress));
 */
export function startTask<T>(
  call: (engine: RemoteEngine, id: TaskId) => Promise<T>,
  onProgress: (progress: TaskProgress) => void = () => undefined,
): RunningTask<T> {
  const remote = useEngine();
  const id = nextTask++;
  listeners.set(id, onProgress);
  return {
    result: call(remote, id).finally(() => listeners.delete(id)),
    pause: () => void remote.tasks.pause(id),
    resume: () => void remote.tasks.resume(id),
    cancel: () => void remote.tasks.cancel(id),
  };
}
