import { CheckpointConfigError, type Json } from "@ckptkit/core";
import type { StageOptions } from "@ckptkit/core/pipeline";
import { isS3Address, type OpenRemoteOptions, parseS3Address } from "@ckptkit/remote";
import * as z from "zod";
import { parseOptions } from "../options.js";
import type { OpenedFile } from "../source/open-into-context.js";
import { BaseRemoteSource, checkAddress } from "../source/remote-source.js";
import { transferOptions, transferShape } from "../source/transfer-options.js";

const options = z.strictObject({
  url: z.string().min(1).optional().describe("s3://BUCKET/KEY; the context's path when left out"),
  region: z.string().min(1).optional().describe("Region of the bucket; AWS_REGION when left out, and found out by itself on AWS"),
  endpoint: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe("Address of an S3-compatible server; AWS_ENDPOINT_URL_S3 when left out"),
  addressing: z
    .enum(["auto", "virtual", "path"])
    .default("auto")
    .describe("Whether the bucket stands in the host name or in the path; auto: in the path for servers other than AWS"),
  anonymous: z.boolean().default(false).describe("Asks without a signature, as public buckets allow"),
  accessKeyId: z.string().min(1).optional().describe("Access key; found in environment and profile when left out"),
  secretAccessKey: z.string().min(1).optional().describe("Secret of the access key; better in the environment than here"),
  sessionToken: z.string().min(1).optional().describe("Comes with temporary credentials"),
  versionId: z.string().min(1).optional().describe("Version of the object, in a bucket that keeps versions"),
  ...transferShape,
});

/**
 * Opens a checkpoint in S3 or on a server that speaks its language, by signed range requests.
 *
 * @example const source = new S3Source({ url: "s3://my-models/run-7/last.ckpt", region: "eu-central-1" });
 */
export class S3Source extends BaseRemoteSource {
  static override readonly description = "Opens a checkpoint in an S3 bucket by signed range requests";
  static override readonly schema = options;
  readonly options: z.output<typeof options>;

  /** @throws {CheckpointConfigError} INVALID_ARGUMENT, also for an address that is none */
  constructor(input: z.input<typeof options> = {}) {
    super();
    this.options = parseOptions(options, input, "S3Source");
    const { url, accessKeyId, secretAccessKey } = this.options;
    checkAddress(url, "S3Source", "url", "an address such as s3://BUCKET/KEY", isS3Address);
    if (url !== undefined) parseS3Address(url);
    if ((accessKeyId === undefined) !== (secretAccessKey === undefined)) {
      throw new CheckpointConfigError(
        "INVALID_ARGUMENT",
        "S3Source was given half a key pair: accessKeyId and secretAccessKey go together.",
        {
          details: { stage: "S3Source", option: accessKeyId === undefined ? "accessKeyId" : "secretAccessKey" },
          suggestions: ["Give both, or neither: then they are looked for in the environment and in the profile."],
        },
      );
    }
    transferOptions(this.options);
  }

  static override supports(uri: string): boolean {
    return isS3Address(uri);
  }

  protected get uri(): string | undefined {
    return this.options.url;
  }

  protected handles(uri: string): boolean {
    return S3Source.supports(uri);
  }

  protected remoteOptions(stage: StageOptions): OpenRemoteOptions {
    const { region, endpoint, addressing, anonymous, accessKeyId, secretAccessKey, sessionToken, versionId } = this.options;
    const credentials =
      accessKeyId !== undefined && secretAccessKey !== undefined ? { accessKeyId, secretAccessKey, sessionToken } : undefined;
    return {
      ...transferOptions(this.options, stage),
      s3: { region, endpoint, addressing, anonymous, credentials, versionId },
    };
  }

  protected describe({ name }: OpenedFile): { [key: string]: Json } {
    const { bucket, key } = parseS3Address(name);
    return { source_type: "s3", source_url: name, s3_bucket: bucket, s3_key: key };
  }
}
