import type { Json } from "@ckptkit/core";
import { type CheckpointContext, CheckpointSource, type StageOptions } from "@ckptkit/core/pipeline";
import * as z from "zod";
import { parseOptions } from "../options.js";
import { addressFor } from "../source/address-for.js";
import { asyncOnly, type OpenedFile, openIntoContext, openIntoContextSync } from "../source/open-into-context.js";
import { checkAddress, platformOf } from "../source/remote-source.js";

const options = z.strictObject({
  path: z.string().min(1).optional().describe("Path of the file, where ~ is the home folder; the context's path when left out"),
});

/**
 * Opens a checkpoint on this machine. Of a sharded one, name the index.
 *
 * @example const context = await new LocalSource({ path: "~/runs/7/last.ckpt" }).process(new CheckpointContext({ platform: nodePlatform() }));
 */
export class LocalSource extends CheckpointSource {
  static override readonly description = "Opens a checkpoint on this machine by its path";
  static override readonly schema = options;
  readonly options: z.output<typeof options>;

  /** @throws {CheckpointConfigError} INVALID_ARGUMENT */
  constructor(input: z.input<typeof options> = {}) {
    super();
    this.options = parseOptions(options, input, "LocalSource");
    checkAddress(this.options.path, "LocalSource", "path", "a path or a file: address", LocalSource.supports);
  }

  /** Whether it is a path, or a `file:` address. A letter before a colon is a drive of Windows, and a colon alone no scheme. */
  static override supports(uri: string): boolean {
    return /^file:/i.test(uri) || !/^(?:[a-z][a-z0-9+.-]+:\/\/|runs:\/|models:\/|mlflow-artifacts:\/)/i.test(uri);
  }

  /** @throws {CheckpointNotFoundError} NOT_FOUND with similar files, or the folder that is missing */
  async process(context: CheckpointContext, stage: StageOptions = {}): Promise<CheckpointContext> {
    const path = addressFor(context, this.name, this.options.path, LocalSource.supports);
    const platform = platformOf(context, this.name);
    const open = (address: string) => platform.open(address, { signal: stage.signal });
    return openIntoContext(context, path, open, describe, stage);
  }

  /**
   * The same without waiting, where the platform can.
   *
   * @throws {CheckpointConfigError} STAGE_ASYNC_ONLY where it cannot
   */
  processSync(context: CheckpointContext): CheckpointContext {
    const path = addressFor(context, this.name, this.options.path, LocalSource.supports);
    const platform = platformOf(context, this.name);
    const { openSync } = platform;
    if (openSync) return openIntoContextSync(context, path, (address) => openSync.call(platform, address), describe);
    throw asyncOnly(this.name, "the platform can open files only by waiting");
  }
}

const describe = ({ name }: OpenedFile): { [key: string]: Json } => ({ source_type: "local", source_path: name });
