import { type CheckpointContext, CheckpointSource, type StageLike, type StageOptions } from "@ckptkit/core/pipeline";
import { unsupportedAddress } from "@ckptkit/remote";
import * as z from "zod";
import { parseOptions } from "../options.js";
import { addressFor } from "../source/address-for.js";
import { asyncOnly } from "../source/open-into-context.js";
import { HttpSource } from "./http.js";
import { HuggingfaceSource } from "./huggingface.js";
import { LocalSource } from "./local.js";
import { MlflowSource } from "./mlflow.js";
import { S3Source } from "./s3.js";

const options = z.strictObject({
  uri: z.string().min(1).optional().describe("Path or address of the checkpoint, of any kind; the context's path when left out"),
  options: z.record(z.string(), z.json()).default({}).describe("Options of the source that the address chooses"),
});

/** The sources that an address can choose, and the option of each that takes the address. */
const CHOICES = [
  { supports: HttpSource.supports, make: (uri: string, rest: object): CheckpointSource => new HttpSource({ ...rest, url: uri }) },
  { supports: S3Source.supports, make: (uri: string, rest: object): CheckpointSource => new S3Source({ ...rest, url: uri }) },
  {
    supports: HuggingfaceSource.supports,
    make: (uri: string, rest: object): CheckpointSource => new HuggingfaceSource({ ...rest, url: uri }),
  },
  { supports: MlflowSource.supports, make: (uri: string, rest: object): CheckpointSource => new MlflowSource({ ...rest, uri }) },
  { supports: LocalSource.supports, make: (uri: string, rest: object): CheckpointSource => new LocalSource({ ...rest, path: uri }) },
];

/**
 * The source for an address, by the address alone.
 *
 * @param rest options of that source.
 * @throws {CheckpointSourceError} UNSUPPORTED_URI when nothing opens such addresses
 * @throws {CheckpointConfigError} INVALID_ARGUMENT for options that the source does not take
 * @example const source = sourceForUri("s3://my-models/last.ckpt", { region: "eu-central-1" }); // an S3Source
 */
export function sourceForUri(uri: string, rest: { readonly [option: string]: unknown } = {}): CheckpointSource {
  const choice = CHOICES.find(({ supports }) => supports(uri));
  if (!choice) throw unsupportedAddress(uri);
  return choice.make(uri, rest);
}

type SyncSource = CheckpointSource & Required<Pick<StageLike, "processSync">>;

const isSync = (source: CheckpointSource): source is SyncSource => "processSync" in source && typeof source.processSync === "function";

/**
 * Opens a checkpoint by a path or address of any kind: `https:`, `s3:`, `hf:`, MLflow's `runs:` and `models:`, or a path. The address
 * chooses the source.
 *
 * @example const source = new UriSource({ uri: "hf://openai-community/gpt2/model.safetensors" });
 */
export class UriSource extends CheckpointSource {
  static override readonly description = "Opens a checkpoint by a path or address of any kind, which chooses the source";
  static override readonly schema = options;
  readonly options: z.output<typeof options>;
  /** Left out where the address is known to lead to a source that must be waited for. */
  readonly processSync?: (context: CheckpointContext, stage: StageOptions) => CheckpointContext;
  readonly #source: CheckpointSource | undefined;

  /** @throws {CheckpointConfigError} INVALID_ARGUMENT; UNSUPPORTED_URI for an address that nothing opens */
  constructor(input: z.input<typeof options> = {}) {
    super();
    this.options = parseOptions(options, input, "UriSource");
    const { uri, options: rest } = this.options;
    if (uri !== undefined) this.#source = sourceForUri(uri, rest);
    if (this.#source && !isSync(this.#source)) return;
    this.processSync = (context, stage) => {
      const source = this.#sourceFor(context);
      if (isSync(source)) return source.processSync(context, stage);
      throw asyncOnly(this.name, `the address leads to a ${source.name}`);
    };
  }

  async process(context: CheckpointContext, stage: StageOptions = {}): Promise<CheckpointContext> {
    return this.#sourceFor(context).process(context, stage);
  }

  #sourceFor(context: CheckpointContext): CheckpointSource {
    if (this.#source) return this.#source;
    const uri = addressFor(context, this.name, undefined, (candidate) => CHOICES.some(({ supports }) => supports(candidate)));
    return sourceForUri(uri, this.options.options);
  }
}
