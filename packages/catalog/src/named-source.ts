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
  const stage: StageLike & { options: object } = {
    kind: "source",
    name: source.name,
    options: { as: name }, // what the pipeline's check of its order looks at
    async process(context: CheckpointContext, options: StageOptions) {
      const next = await source.process(context, options);
      const { checkpoint } = next;
      if (!checkpoint || checkpoint === context.checkpoint) return next;
      const { checkpointPath, checkpointFormat } = context;
      return next.with({ checkpoint: context.checkpoint, checkpointPath, checkpointFormat }).withCheckpoint(checkpoint, name);
    },
  };
  return stage;
}
