import { CAST_DTYPES, type Checkpoint, CheckpointConfigError, CheckpointSourceError, type Json, type TensorData } from "@ckptkit/core";
import { type CheckpointContext, CheckpointSink, type StageOptions } from "@ckptkit/core/pipeline";
import { siblingAddress } from "@ckptkit/formats";
import { CONVERT_TARGETS, type ConvertTarget, convertCheckpoint } from "@ckptkit/inspect";
import * as z from "zod";
import { chooseShape, looksAtModel, selectionOf, subjectShape } from "../inspecting/subject.js";
import { kernelsOf } from "../kernels-of.js";
import { checkpointOfModel } from "../model/model-checkpoint.js";
import { parseOptions } from "../options.js";
import { anemoiRecords, isTensorData } from "../sink/anemoi-records.js";
import { fileNameOf } from "../sink/file-name.js";

const options = z.strictObject({
  path: z.string().min(1).describe("Path or address to write to"),
  format: z.enum(CONVERT_TARGETS).optional().describe("What to write; by the path's suffix when left out"),
  dtype: z.enum(CAST_DTYPES).optional().describe("Floating-point tensors are cast to it"),
  maxShardBytes: z.int().min(1).optional().describe("Splits safetensors into files of at most this many bytes of tensor data"),
  all: z.boolean().default(false).describe("Also optimizer, scheduler and other values; the weights alone when false"),
  metadata: z
    .union([z.boolean(), z.record(z.string(), z.json())])
    .default(false)
    .describe("Values to keep in the file; true for the context's metadata"),
  arrays: z
    .record(z.string().regex(/^[\w.-]+$/), z.custom<TensorData>(isTensorData, "a tensor was expected"))
    .default({})
    .describe("Supporting arrays to keep in a torch archive beside the metadata, each as a .numpy record; only from code"),
  checkCrc: z.boolean().default(true).describe("Whether the checksums that a source file holds are checked as its bytes go by"),
  ...subjectShape,
  ...chooseShape,
});

/** What a suffix is taken to ask for. */
const BY_SUFFIX: readonly [RegExp, ConvertTarget][] = [
  [/\.safetensors$/i, "safetensors"],
  [/\.(?:pt|pth|bin)$/i, "state_dict"],
  [/\.ckpt$/i, "lightning"],
  [/\.gguf$/i, "gguf"],
  [/\.npz$/i, "npz"],
];

/** Formats that are archives of torch: they keep values as records of their own. */
const TORCH_FORMATS: ReadonlySet<ConvertTarget> = new Set(["pytorch", "lightning", "state_dict"]);

/**
 * Writes the model's current tensors, once weights have been loaded, or else the checkpoint, in any format. Streams in constant
 * memory; what modifiers and migrations compute is computed here. Nothing is visible at the destination before all of it is written.
 *
 * @example await new SaveSink({ path: "out/model.safetensors", dtype: "BF16", maxShardBytes: 5e9 }).process(context);
 */
export class SaveSink extends CheckpointSink {
  static override readonly description =
    "Writes the model, or the checkpoint, as safetensors, PyTorch, Lightning, a state dict, GGUF or npz";
  static override readonly schema = options;
  readonly options: z.output<typeof options>;
  readonly #format: ConvertTarget;

  /** @throws {CheckpointConfigError} INVALID_ARGUMENT */
  constructor(input: z.input<typeof options>) {
    super();
    this.options = parseOptions(options, input, "SaveSink");
    this.#format = this.options.format ?? formatOf(this.options.path);
    const isTorch = TORCH_FORMATS.has(this.#format);
    if (this.options.maxShardBytes !== undefined && this.#format !== "safetensors") {
      throw unusable("maxShardBytes", `is for safetensors; ${this.#format} is always one file`, String(this.options.maxShardBytes));
    }
    if (Object.keys(this.options.arrays).length > 0 && !isTorch) {
      throw unusable(
        "arrays",
        `are records of a torch archive; ${this.#format} has no place for them`,
        Object.keys(this.options.arrays).join(", "),
      );
    }
  }

  /**
   * @throws {CheckpointConfigError} CONTEXT_INCOMPLETE
   * @throws {CheckpointSourceError} ACCESS_DENIED, NO_SPACE, DESTINATION_EXISTS, WRITE_FAILED
   * @throws {CheckpointValidationError} NO_TENSORS, UNSUPPORTED_DTYPE, NAME_CONFLICT
   * @throws {CheckpointIntegrityError} CRC_MISMATCH
   */
  async process(context: CheckpointContext, stage: StageOptions = {}): Promise<CheckpointContext> {
    const { path, dtype, maxShardBytes, all, checkCrc } = this.options;
    const platform = context.require(this.name, "platform");
    const subject = looksAtModel(context, this.options)
      ? checkpointOfModel(context, this.name)
      : context.requireCheckpoint(this.name, this.options.from);
    refuseSource(context, subject, path);
    const { files, tensorCount, ties, findings } = await convertCheckpoint(
      subject,
      (name) => platform.create(name === fileNameOf(path) ? path : siblingAddress(path, name)),
      {
        kernels: await kernelsOf(context),
        fileName: fileNameOf(path),
        to: this.#format,
        dtype,
        maxShardBytes,
        all,
        checkCrc,
        select: selectionOf(this.options),
        ...(await this.#embedded(context, stage)),
        signal: stage.signal,
        onProgress: stage.onProgress,
      },
    );
    for (const { message, at } of findings) {
      stage.onNotice?.({ level: "warning", message: at === undefined ? message : `${at}: ${message}` });
    }
    const saved: Json = { files, format: this.#format, tensors: tensorCount, ties: ties.size };
    const before = context.getMetadata("saved", []);
    return context.withMetadata({ saved: [...(Array.isArray(before) ? before : []), saved] });
  }

  /** Metadata and arrays in the form that each format has for them. */
  async #embedded(context: CheckpointContext, stage: StageOptions): Promise<Embedded> {
    const { metadata, arrays, path } = this.options;
    const values = metadata === true ? context.metadata : metadata || {};
    if (metadata === false && Object.keys(arrays).length === 0) return {};
    if (TORCH_FORMATS.has(this.#format)) return { records: await anemoiRecords(fileNameOf(path), values, arrays, stage) };
    const text = (value: Json): string => (typeof value === "string" ? value : JSON.stringify(value));
    return { metadata: Object.fromEntries(Object.entries(values).map(([key, value]) => [key, text(value)])) };
  }
}

interface Embedded {
  metadata?: Record<string, string>;
  records?: Map<string, Uint8Array>;
}

const unusable = (path: string, why: string, found: string): CheckpointConfigError =>
  new CheckpointConfigError("INVALID_ARGUMENT", `SaveSink: ${path} ${why}.`, {
    details: { stage: "SaveSink", problems: [{ path, expected: "nothing", found }] },
  });

/** @throws {CheckpointConfigError} INVALID_ARGUMENT */
function formatOf(path: string): ConvertTarget {
  const name = fileNameOf(path);
  const found = BY_SUFFIX.find(([suffix]) => suffix.test(name));
  if (found) return found[1];
  throw new CheckpointConfigError("INVALID_ARGUMENT", `SaveSink: the name ${JSON.stringify(name)} does not say what to write.`, {
    details: { stage: "SaveSink", problems: [{ path: "format", expected: CONVERT_TARGETS.join(", "), found: "nothing" }] },
    suggestions: [
      `Give the option format: ${CONVERT_TARGETS.join(", ")}.`,
      "Or end the name in .safetensors, .pt, .pth, .bin (a state dict), .ckpt (Lightning), .gguf or .npz.",
    ],
  });
}

/** Values are read while they are written, and later stages may read them again: the file must stay what it is. */
function refuseSource(context: CheckpointContext, subject: Checkpoint, path: string): void {
  const read = [context.checkpointPath, subject.uri, context.checkpoint?.uri, ...[...context.checkpoints.values()].map(({ uri }) => uri)];
  if (!read.includes(path)) return;
  throw new CheckpointSourceError("DESTINATION_EXISTS", `${fileNameOf(path)} is one of the files that the pipeline reads from.`, {
    suggestions: ["Write to another path, and rename the file afterwards."],
  });
}
