import { blobSource, CheckpointNotFoundError } from "@ckptkit/core";
import { type CheckpointContext, CheckpointSource, type StageOptions } from "@ckptkit/core/pipeline";
import { openCheckpoint } from "@ckptkit/formats";
import * as z from "zod";
import { parseOptions } from "../options.js";
import { withCheckpoint } from "../source/open-into-context.js";

const options = z.strictObject({
  blob: z.instanceof(Blob).describe("The checkpoint, as a Blob or File; only code can give one"),
  name: z.string().min(1).optional().describe("A name for it; that of the File when left out"),
  siblings: z.record(z.string(), z.instanceof(Blob)).default({}).describe("The shards of a sharded checkpoint, by their file names"),
});

/**
 * Opens a checkpoint that a program has as a Blob or File: one that was dropped on a page, say. Nothing of it is read but what is needed.
 *
 * @example const source = new BlobSource({ blob: input.files[0] });
 */
export class BlobSource extends CheckpointSource {
  static override readonly description = "Opens a checkpoint that the program has as a Blob or File";
  static override readonly schema = options;
  readonly options: z.output<typeof options>;

  /** @throws {CheckpointConfigError} INVALID_ARGUMENT */
  constructor(input: z.input<typeof options>) {
    super();
    this.options = parseOptions(options, input, "BlobSource");
  }

  async process(context: CheckpointContext, { signal, onProgress }: StageOptions = {}): Promise<CheckpointContext> {
    const { blob, siblings } = this.options;
    const source = blobSource(blob, this.options.name);
    const checkpoint = await openCheckpoint(source, {
      kernels: context.kernels,
      signal,
      onProgress,
      openSibling: async (name) => {
        const shard = Object.hasOwn(siblings, name) ? siblings[name] : undefined;
        if (shard) return blobSource(shard, name);
        throw new CheckpointNotFoundError("NOT_FOUND", `No file ${name} was given beside ${source.name}.`, {
          details: { name, given: Object.keys(siblings) },
          suggestions: ["Give all shards: siblings."],
        });
      },
    });
    return withCheckpoint(context, checkpoint, { source_type: "blob", source_path: source.name }, source.name);
  }
}
