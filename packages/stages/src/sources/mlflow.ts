import type { Json } from "@ckptkit/core";
import type { StageOptions } from "@ckptkit/core/pipeline";
import { isMlflowAddress, type OpenRemoteOptions, parseMlflowAddress } from "@ckptkit/remote";
import * as z from "zod";
import { parseOptions } from "../options.js";
import type { OpenedFile } from "../source/open-into-context.js";
import { BaseRemoteSource, checkAddress } from "../source/remote-source.js";
import { transferOptions, transferShape } from "../source/transfer-options.js";

const options = z.strictObject({
  uri: z
    .string()
    .min(1)
    .optional()
    .describe(
      "runs:/RUN/PATH, models:/NAME/VERSION/PATH, models:/NAME@ALIAS/PATH or models:/NAME/latest/PATH; the context's path when left out",
    ),
  trackingUri: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe("Address of the tracking server; MLFLOW_TRACKING_URI when left out"),
  token: z.string().min(1).optional().describe("Token for the server; MLFLOW_TRACKING_TOKEN when left out, and better there"),
  username: z.string().min(1).optional().describe("User name for the server; MLFLOW_TRACKING_USERNAME when left out"),
  password: z.string().min(1).optional().describe("Password for the server; MLFLOW_TRACKING_PASSWORD when left out, and better there"),
  ...transferShape,
});

/**
 * Opens a checkpoint that MLflow keeps: an artifact of a run or of a registered model, wherever its store is.
 *
 * @example const source = new MlflowSource({ uri: "models:/forecaster@champion/model.ckpt", trackingUri: "https://mlflow.example.org" });
 */
export class MlflowSource extends BaseRemoteSource {
  static override readonly description = "Opens a checkpoint of a run or a registered model in MLflow";
  static override readonly schema = options;
  readonly options: z.output<typeof options>;

  /** @throws {CheckpointConfigError} INVALID_ARGUMENT, also for an address that is none */
  constructor(input: z.input<typeof options> = {}) {
    super();
    this.options = parseOptions(options, input, "MlflowSource");
    checkAddress(this.options.uri, "MlflowSource", "uri", "an address that begins with runs:/ or models:/", isMlflowAddress);
    if (this.options.uri !== undefined) parseMlflowAddress(this.options.uri);
    transferOptions(this.options);
  }

  static override supports(uri: string): boolean {
    return isMlflowAddress(uri);
  }

  /** The address among the options. */
  protected get uri(): string | undefined {
    return this.options.uri;
  }

  protected handles(uri: string): boolean {
    return MlflowSource.supports(uri);
  }

  protected remoteOptions(stage: StageOptions): OpenRemoteOptions {
    const { trackingUri, token, username, password } = this.options;
    return { ...transferOptions(this.options, stage), mlflow: { trackingUri, token, username, password } };
  }

  protected describe({ name }: OpenedFile): { [key: string]: Json } {
    return { source_type: "mlflow", source_url: name };
  }
}
