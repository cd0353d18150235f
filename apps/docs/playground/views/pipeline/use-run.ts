import * as Comlink from "comlink";
import { computed, onBeforeUnmount, ref, type ShallowRef, shallowRef } from "vue";
import { type RunningTask, startTask, useEngine } from "../../engine/client.js";
import { type EngineError, toEngineError, type WireError } from "../../engine/errors.js";
import type { PipelineDraft, RunEvent, RunOutput, RunResult } from "../../engine/pipeline.js";

/** How far a stage of a run is. */
export interface StepRun {
  readonly state: "running" | "completed" | "failed";
  readonly done: number;
  readonly total: number;
  readonly durationMs: number;
  readonly summary: string;
  readonly error: WireError | undefined;
  readonly notices: readonly string[];
}

const BEGUN: StepRun = { state: "running", done: 0, total: 0, durationMs: 0, summary: "", error: undefined, notices: [] };

/** Runs of a pipeline: one at a time, with its stages as they come. */
export function useRun() {
  const steps: ShallowRef<readonly (StepRun | undefined)[]> = shallowRef([]);
  const result = shallowRef<RunResult>();
  const error = shallowRef<EngineError>();
  const wasCancelled = ref(false);
  const task = shallowRef<RunningTask<RunResult>>();
  /** Outputs that were opened live on as checkpoints of the page. */
  const opened = new Set<number>();

  const take = (event: RunEvent): void => {
    const before = steps.value[event.index] ?? BEGUN;
    const next = [...steps.value];
    next[event.index] = stepAfter(before, event);
    steps.value = next;
  };

  const discard = (): void => {
    const ids = (result.value?.outputs ?? []).map(({ id }) => id).filter((id) => !opened.has(id));
    result.value = undefined;
    if (ids.length > 0) void useEngine().pipeline.discard(ids);
  };

  const run = async (draft: PipelineDraft, folder: FileSystemDirectoryHandle | undefined): Promise<void> => {
    if (task.value) return;
    discard();
    steps.value = [];
    error.value = undefined;
    wasCancelled.value = false;
    const mine = startTask((engine, id) => engine.pipeline.run(id, draft, folder, Comlink.proxy(take)));
    task.value = mine;
    try {
      result.value = await mine.result;
      error.value = result.value.error && toEngineError(result.value.error);
    } catch (thrown) {
      const failure = toEngineError(thrown);
      if (failure.code === "ABORTED") wasCancelled.value = true;
      else error.value = failure;
    } finally {
      task.value = undefined;
    }
  };

  onBeforeUnmount(() => {
    task.value?.cancel();
    discard();
  });

  return {
    steps,
    result,
    error,
    wasCancelled,
    isRunning: computed(() => task.value !== undefined),
    run,
    cancel: () => task.value?.cancel(),
    /** Forgets the last run: the text is another one now. */
    clear: () => {
      if (task.value) return;
      discard();
      steps.value = [];
      error.value = undefined;
      wasCancelled.value = false;
    },
    keep: (outputs: readonly RunOutput[]) => {
      for (const { id } of outputs) opened.add(id);
    },
  };
}

function stepAfter(before: StepRun, event: RunEvent): StepRun {
  switch (event.type) {
    case "start":
      return BEGUN;
    case "progress":
      return { ...before, done: event.progress.done, total: event.progress.total ?? 0 };
    case "notice":
      return { ...before, notices: [...before.notices, event.notice.message] };
    case "end":
      return { ...before, state: event.status, durationMs: event.durationMs, summary: event.summary, error: event.error };
  }
}
