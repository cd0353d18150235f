import type { CheckpointContext, StageLike, StageOptions } from "@ckptkit/core/pipeline";

/** Key by which a source of any class gives its checkpoint a name. */
export const AS_KEY = "as";

/** What it means, for catalogs and editors. */
export const AS_DESCRIPTION =
  "Name for the checkpoint, by which later stages ask for it (from); the pipeline's own checkpoint stays what it is";

/**
 * A source whose checkpoint stands in the context under a name, beside the pipeline's own: encoder and decoder from two
 * files, say.
 */
export function namedSource(source: StageLike, name: string): StageLike {
  const { processSync } = source;
  const stage: StageLike & { options: object } = {
    kind: "source",
    name: source.name,
    options: { as: name }, // what the pipeline's check of its order looks at
    process: async (context: CheckpointContext, options: StageOptions) => renamed(context, await source.process(context, options), name),
    ...(processSync && {
      processSync: (context: CheckpointContext, options: StageOptions) =>
        renamed(context, processSync.call(source, context, options), name),
    }),
  };
  return stage;
}

function renamed(before: CheckpointContext, after: CheckpointContext, name: string): CheckpointContext {
  const { checkpoint } = after;
  if (!checkpoint || checkpoint === before.checkpoint) return after;
  const { checkpointPath, checkpointFormat } = before;
  return after.with({ checkpoint: before.checkpoint, checkpointPath, checkpointFormat }).withCheckpoint(checkpoint, name);
}
