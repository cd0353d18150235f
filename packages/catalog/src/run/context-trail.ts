import type { Checkpoint, Finding } from "@ckptkit/core";
import type { CheckpointContext } from "@ckptkit/core/pipeline";

/**
 * The contexts of a run: what the last stage was given and what it gave, and every checkpoint that was opened on the way.
 *
 * @example
 * const trail = new ContextTrail();
 * const pipeline = pipelineFromConfig(config, catalog, { onContext: (context) => trail.add(context) });
 */
export class ContextTrail {
  previous: CheckpointContext | undefined;
  last: CheckpointContext | undefined;
  readonly #checkpoints = new Set<Checkpoint>();

  /** Takes the next context. */
  add(context: CheckpointContext): void {
    this.previous = this.last;
    this.last = context;
    if (context.checkpoint) this.#checkpoints.add(context.checkpoint);
    for (const checkpoint of context.checkpoints.values()) this.#checkpoints.add(checkpoint);
  }

  /** What was found in the files that were opened. */
  get findings(): Finding[] {
    return [...this.#checkpoints].flatMap(({ findings }) => findings);
  }

  /** Closes every checkpoint that was opened. */
  async close(): Promise<void> {
    for (const checkpoint of this.#checkpoints) await checkpoint.close();
  }
}
