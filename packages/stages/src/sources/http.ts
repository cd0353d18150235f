import type { Json } from "@ckptkit/core";
import type { CheckpointContext, StageOptions } from "@ckptkit/core/pipeline";
import { isHttpAddress, type OpenRemoteOptions } from "@ckptkit/remote";
import * as z from "zod";
import { parseOptions } from "../options.js";
import type { OpenedFile } from "../source/open-into-context.js";
import { BaseRemoteSource, checkAddress } from "../source/remote-source.js";
import { transferOptions, transferShape } from "../source/transfer-options.js";

const options = z.strictObject({
  url: z.string().min(1).optional().describe("Address of the file, http:// or https://; the context's path when left out"),
  headers: z.record(z.string(), z.string()).default({}).describe("Sent with every request: Authorization, say"),
  ...transferShape,
});

/**
 * Opens a checkpoint on a web server. Reads by range, and no more than is asked for; downloads only where it must.
 *
 * @example
 * const source = new HttpSource({ url: "https://example.org/model.ckpt", expectedChecksum: "sha256:9f86d08188..." });
 */
export class HttpSource extends BaseRemoteSource {
  static override readonly description = "Opens a checkpoint on a web server, by range requests or as a verified copy";
  static override readonly schema = options;
  readonly options: z.output<typeof options>;

  /** @throws {CheckpointConfigError} INVALID_ARGUMENT */
  constructor(input: z.input<typeof options> = {}) {
    super();
    this.options = parseOptions(options, input, "HttpSource");
    checkAddress(this.options.url, "HttpSource", "url", "a valid address that begins with http:// or https://", isValid);
    transferOptions(this.options);
  }

  static override supports(uri: string): boolean {
    return isHttpAddress(uri);
  }

  override async process(context: CheckpointContext, stage: StageOptions = {}): Promise<CheckpointContext> {
    const next = await super.process(context, stage);
    if (this.options.expectedChecksum === undefined) {
      const message = `The integrity of ${next.checkpointPath} was not verified, as no checksum was given (expectedChecksum).`;
      stage.onNotice?.({ level: "warning", message });
    }
    return next;
  }

  protected get uri(): string | undefined {
    return this.options.url;
  }

  protected handles(uri: string): boolean {
    return HttpSource.supports(uri);
  }

  protected remoteOptions(stage: StageOptions): OpenRemoteOptions {
    return { ...transferOptions(this.options, stage), headers: this.options.headers };
  }

  protected describe({ name }: OpenedFile): { [key: string]: Json } {
    return { source_type: "http", source_url: name };
  }
}

const isValid = (url: string): boolean => isHttpAddress(url) && URL.canParse(url);
