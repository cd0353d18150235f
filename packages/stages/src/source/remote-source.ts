import { CheckpointConfigError, type Json, type Platform } from "@ckptkit/core";
import { type CheckpointContext, CheckpointSource, type StageOptions } from "@ckptkit/core/pipeline";
import { type OpenRemoteOptions, openRemote } from "@ckptkit/remote";
import { addressFor } from "./address-for.js";
import { type OpenedFile, openIntoContext } from "./open-into-context.js";

/** What the sources of remote checkpoints share: they differ in their options, and in what they record. */
export abstract class BaseRemoteSource extends CheckpointSource {
  /** The address among the options. */
  protected abstract readonly uri: string | undefined;
  /** Whether this class handles an address. */
  protected abstract handles(uri: string): boolean;
  /** How to open: called anew for each run. */
  protected abstract remoteOptions(stage: StageOptions): OpenRemoteOptions;
  /** Metadata entries beside those of the version. */
  protected abstract describe(file: OpenedFile, uri: string): { [key: string]: Json };

  /** @throws {CheckpointConfigError} CONTEXT_INCOMPLETE without an address or a platform; what opening throws */
  async process(context: CheckpointContext, stage: StageOptions = {}): Promise<CheckpointContext> {
    const uri = addressFor(context, this.name, this.uri, (candidate) => this.handles(candidate));
    const platform = platformOf(context, this.name);
    const options = this.remoteOptions(stage);
    return openIntoContext(
      context,
      uri,
      // The checksum is that of the file that was named, not of its shards.
      (address, isShard) => openRemote(address, platform, isShard ? { ...options, checksum: undefined } : options),
      (file) => this.describe(file, uri),
      stage,
    );
  }
}

/** The context's platform. @throws {CheckpointConfigError} CONTEXT_INCOMPLETE */
export function platformOf(context: CheckpointContext, stage: string): Platform {
  context.validateForStage(stage, ["platform"]);
  if (!context.platform) throw new Error("unreachable: validateForStage has looked");
  return context.platform;
}

/** Refuses an address among the options when the stage is made, not when it runs. @throws {CheckpointConfigError} INVALID_ARGUMENT */
export function checkAddress(
  uri: string | undefined,
  stage: string,
  option: string,
  expected: string,
  isRight: (uri: string) => boolean,
): void {
  if (uri === undefined || isRight(uri)) return;
  // The address itself stays out of the message: it may hold a password.
  throw new CheckpointConfigError("INVALID_ARGUMENT", `The option "${option}" of ${stage} is not ${expected}.`, {
    details: { stage, option, expected },
    suggestions: [`Give ${expected}.`],
  });
}
