import { CheckpointCheck, type CheckpointContext, CheckpointSource, LoadingStrategy } from "@ckptkit/core/pipeline";
import { parseOptions } from "@ckptkit/stages/options";
import * as z from "zod";

const local = z.strictObject({
  path: z.string().min(1).describe("Path of the file"),
  maxRetries: z.int().min(0).default(3),
  rename: z.record(z.string(), z.string()).optional(),
  mode: z.enum(["lazy", "eager"]).default("lazy"),
  parts: z.array(z.strictObject({ from: z.string(), to: z.string().optional() })).optional(),
});

/** A source with options of every form. */
export class LocalSource extends CheckpointSource {
  static override readonly description: string = "Opens a file of this machine";
  static override readonly schema = local;
  readonly options: z.output<typeof local>;
  static override supports(uri: string): boolean {
    return !uri.includes("://");
  }
  constructor(input: z.input<typeof local>) {
    super();
    this.options = parseOptions(local, input, "LocalSource");
  }
  async process(context: CheckpointContext): Promise<CheckpointContext> {
    return context.with({ checkpointPath: this.options.path });
  }
}

export class TransferLearningLoader extends LoadingStrategy {
  static override readonly description = "Loads what fits";
  async process(context: CheckpointContext): Promise<CheckpointContext> {
    return context;
  }
}

/** Without an end that the catalog knows, and without a schema. */
export class HTTPHead extends CheckpointCheck {
  static override readonly description = "Looks at the head";
  async process(context: CheckpointContext): Promise<CheckpointContext> {
    return context;
  }
}

/** Abstract by its name. */
export class BaseCheck extends CheckpointCheck {
  async process(context: CheckpointContext): Promise<CheckpointContext> {
    return context;
  }
}

/** Abstract by what it lacks. */
export abstract class UnfinishedCheck extends CheckpointCheck {}

export const notAStage = { process: () => {} };
export function alsoNone(): void {}
export { CheckpointSource } from "@ckptkit/core/pipeline";
