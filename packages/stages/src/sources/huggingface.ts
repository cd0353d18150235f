import type { Json } from "@ckptkit/core";
import type { StageOptions } from "@ckptkit/core/pipeline";
import { isHuggingFaceAddress, type OpenRemoteOptions, parseHuggingFaceAddress } from "@ckptkit/remote";
import * as z from "zod";
import { parseOptions } from "../options.js";
import type { OpenedFile } from "../source/open-into-context.js";
import { BaseRemoteSource, checkAddress } from "../source/remote-source.js";
import { transferOptions, transferShape } from "../source/transfer-options.js";

const options = z.strictObject({
  url: z.string().min(1).optional().describe("hf://OWNER/NAME[@REVISION]/FILE; the context's path when left out"),
  revision: z.string().min(1).optional().describe("Branch, tag or commit, where the address has none; main when left out"),
  token: z.string().min(1).optional().describe("Token of the Hub; HF_TOKEN when left out, and better there"),
  hub: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe("Address of the Hub; HF_ENDPOINT when left out, else https://huggingface.co"),
  ...transferShape,
});

/**
 * Opens a checkpoint of a repository on the Hugging Face Hub, at the commit that its revision stands for.
 *
 * @example const source = new HuggingfaceSource({ url: "hf://openai-community/gpt2/model.safetensors" });
 */
export class HuggingfaceSource extends BaseRemoteSource {
  static override readonly description = "Opens a checkpoint on the Hugging Face Hub, at one commit";
  static override readonly schema = options;
  readonly options: z.output<typeof options>;

  /** @throws {CheckpointConfigError} INVALID_ARGUMENT, also for an address that is none */
  constructor(input: z.input<typeof options> = {}) {
    super();
    this.options = parseOptions(options, input, "HuggingfaceSource");
    checkAddress(this.options.url, "HuggingfaceSource", "url", "an address such as hf://OWNER/NAME/FILE", isHuggingFaceAddress);
    if (this.options.url !== undefined) parseHuggingFaceAddress(this.options.url);
    transferOptions(this.options);
  }

  static override supports(uri: string): boolean {
    return isHuggingFaceAddress(uri);
  }

  protected get uri(): string | undefined {
    return this.options.url;
  }

  protected handles(uri: string): boolean {
    return HuggingfaceSource.supports(uri);
  }

  protected remoteOptions(stage: StageOptions): OpenRemoteOptions {
    const { token, revision, hub } = this.options;
    return { ...transferOptions(this.options, stage), huggingFace: { token, revision, hub } };
  }

  protected describe({ name }: OpenedFile): { [key: string]: Json } {
    return { source_type: "huggingface", source_url: name };
  }
}
