import type { CheckedPipeline } from "./pipeline/check.js";
import type { CompletionList } from "./pipeline/complete.js";
import type { WordDescription } from "./pipeline/describe.js";
import type { PipelineDraft } from "./pipeline/draft.js";
import type { PlannedPipeline } from "./pipeline/plan.js";
import type { RunEvent, RunResult } from "./pipeline/run.js";
import type { PipelineTemplate } from "./pipeline/templates.js";
import type { PipelineWork } from "./pipeline/work.js";
import type { SessionId, Sessions } from "./sessions.js";
import type { TaskId, Tasks } from "./tasks.js";

export type { CheckedPipeline, PipelineProblem } from "./pipeline/check.js";
export type { CompletionList, PipelineCompletion } from "./pipeline/complete.js";
export type { WordDescription } from "./pipeline/describe.js";
export type { PipelineDraft, PipelineVariable } from "./pipeline/draft.js";
export type { PlannedPipeline, PlannedStep } from "./pipeline/plan.js";
export type { RunEvent, RunOutput, RunResult } from "./pipeline/run.js";
export type { StageSketch } from "./pipeline/sketch.js";
export type { PipelineTemplate } from "./pipeline/templates.js";

/** The area behind the pipeline editor. The catalog of stages is loaded by its first call. */
export function createPipeline(sessions: Sessions, tasks: Tasks) {
  let loading: Promise<PipelineWork> | undefined;
  const work = (): Promise<PipelineWork> => {
    loading ??= import("./pipeline/work.js")
      .then(({ createPipelineWork }) => createPipelineWork(sessions))
      .catch((error: unknown) => {
        loading = undefined; // a connection that was lost may come back
        throw error;
      });
    return loading;
  };
  return {
    /** Pipelines to begin with. */
    templates: async (): Promise<readonly PipelineTemplate[]> => (await work()).templates(),

    /** Names by which a pipeline can open what is open in the page, the newest first. */
    names: async (): Promise<readonly string[]> => (await work()).names(),

    /** The name by which a pipeline opens one of them. */
    nameOf: async (session: SessionId): Promise<string> => (await work()).nameOf(session),

    /** What is wrong in a draft, and what it says. Opens nothing. */
    check: async (draft: PipelineDraft): Promise<CheckedPipeline> => (await work()).check(draft),

    /** What can stand at an offset of a text. */
    complete: async (text: string, offset: number): Promise<CompletionList | undefined> => (await work()).complete(text, offset),

    /** What the word at an offset of a text means. */
    describe: async (text: string, offset: number): Promise<WordDescription | undefined> => (await work()).describe(text, offset),

    /**
     * What a run would do, from headers alone.
     *
     * @throws {CheckpointConfigError} CONFIG_SYNTAX, CONFIG_VARIABLE, CONFIG_INVALID
     */
    plan: (task: TaskId, draft: PipelineDraft): Promise<PlannedPipeline> =>
      tasks.run(task, async (options) => (await work()).plan(draft, options)),

    /**
     * Runs a draft. What it writes is kept by the page until it is saved or discarded, or goes into `folder`. A stage that fails is part of
     * the result.
     *
     * @throws {CheckpointConfigError} CONFIG_SYNTAX, CONFIG_VARIABLE, CONFIG_INVALID
     */
    run: (
      task: TaskId,
      draft: PipelineDraft,
      folder: FileSystemDirectoryHandle | undefined,
      onEvent: (event: RunEvent) => void,
    ): Promise<RunResult> => tasks.run(task, async (options) => (await work()).run(draft, folder, onEvent, options)),

    /** Removes outputs that nobody wants any more. */
    discard: async (outputs: readonly number[]): Promise<void> => (await work()).discard(outputs),
  };
}
