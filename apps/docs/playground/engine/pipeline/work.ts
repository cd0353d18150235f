import { Catalog, pipelineJsonSchema } from "@ckptkit/catalog";
import type { SessionId, Sessions } from "../sessions.js";
import type { TaskOptions } from "../tasks.js";
import { type CheckedPipeline, checkPipeline, configOf } from "./check.js";
import { type CompletionList, completePipeline } from "./complete.js";
import { describeAt, type WordDescription } from "./describe.js";
import type { PipelineDraft } from "./draft.js";
import { Outputs } from "./outputs.js";
import { openNames, pagePlatform, pipelineName } from "./page-platform.js";
import { type PlannedPipeline, planDraft } from "./plan.js";
import { type RunEvent, type RunResult, runDraft } from "./run.js";
import { SchemaWalk } from "./schema-walk.js";
import { type PipelineTemplate, pipelineTemplates } from "./templates.js";

/** Everything that needs the catalog. */
export type PipelineWork = Awaited<ReturnType<typeof createPipelineWork>>;

/** Loads the catalog and makes the work over it. */
export async function createPipelineWork(sessions: Sessions) {
  const catalog = await Catalog.load();
  const walk = new SchemaWalk(pipelineJsonSchema(catalog));
  const outputs = new Outputs();
  const platformFor = (folder?: FileSystemDirectoryHandle) => pagePlatform(sessions, (path) => outputs.create(path, folder));
  return {
    templates: (): readonly PipelineTemplate[] => pipelineTemplates(),
    names: (): readonly string[] => openNames(sessions),
    nameOf: (session: SessionId): string => pipelineName(sessions.get(session)),
    check: (draft: PipelineDraft): Promise<CheckedPipeline> => checkPipeline(draft, catalog),
    complete: (text: string, offset: number): CompletionList | undefined =>
      completePipeline(text, offset, walk, { checkpoints: openNames(sessions) }),
    describe: (text: string, offset: number): WordDescription | undefined => describeAt(text, offset, walk),
    plan: async (draft: PipelineDraft, options: TaskOptions): Promise<PlannedPipeline> =>
      planDraft(await configOf(draft, catalog), catalog, platformFor(), options),
    run: async (
      draft: PipelineDraft,
      folder: FileSystemDirectoryHandle | undefined,
      onEvent: (event: RunEvent) => void,
      options: TaskOptions,
    ): Promise<RunResult> => {
      outputs.begin();
      const config = await configOf(draft, catalog);
      try {
        return await runDraft(config, catalog, platformFor(folder), outputs, onEvent, options);
      } catch (error) {
        await outputs.discard(outputs.written.map(({ id }) => id));
        throw error;
      }
    },
    discard: (ids: readonly number[]): Promise<void> => outputs.discard(ids),
  };
}
