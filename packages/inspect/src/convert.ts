import {
  type CastDType,
  type Checkpoint,
  CheckpointValidationError,
  type CreateSink,
  type Finding,
  type Kernels,
  type Layout,
  type OperationOptions,
  type TensorHandle,
} from "@ckptkit/core";
import { extractStateDict, writeSafetensors, writeTorch } from "@ckptkit/formats";
import { arrangeTree } from "./arrange.js";
import { watchIntegrity } from "./integrity.js";
import { outputTensor } from "./output-tensor.js";
import { PIECE_BYTES } from "./piece-bytes.js";
import type { SelectTensor } from "./select.js";
import { tieKeys } from "./tie-key.js";

/** What a checkpoint can be converted to: safetensors, or a torch archive in one of the layouts. */
export const CONVERT_TARGETS = ["safetensors", "pytorch", "lightning", "state_dict"] as const;

/** One of {@link CONVERT_TARGETS}. */
export type ConvertTarget = (typeof CONVERT_TARGETS)[number];

/** How to convert. */
export interface ConvertOptions extends OperationOptions {
  kernels: Kernels;
  /** Name of the output; shards and their index get names derived from it. */
  fileName: string;
  to: ConvertTarget;
  /** Casts F64, F32, F16 and BF16 tensors, rounding to nearest even; others keep their dtype. */
  dtype?: CastDType | undefined;
  /** Splits safetensors into files of at most this many bytes of tensor data. */
  maxShardBytes?: number | undefined;
  /** Also optimizer states and other tensors; the model's weights alone when false. */
  all?: boolean | undefined;
  select?: SelectTensor | undefined;
  /** Checks the CRC-32 that the container recorded, as the bytes go by. Default true. */
  checkCrc?: boolean | undefined;
  /** Entries of `__metadata__`, for safetensors. */
  metadata?: Readonly<Record<string, string>> | undefined;
  /** Further records of the archive by their path under its root folder, for torch's formats. */
  records?: ReadonlyMap<string, Uint8Array> | undefined;
}

/** What a conversion wrote. */
export interface ConvertReport {
  files: { name: string; byteLength: number }[];
  /** Tensors that were chosen, tied ones counted each. */
  tensorCount: number;
  /** Tied tensors that are stored once: dropped name -> kept name. */
  ties: Map<string, string>;
  findings: Finding[];
}

/**
 * Converts a checkpoint, streaming in constant memory. Nothing is visible at the destination unless everything was written
 * and the source's own checksums held.
 *
 * @throws {CheckpointValidationError} NO_STATE_DICT, NO_TENSORS, UNSUPPORTED_DTYPE, NAME_CONFLICT
 * @throws {CheckpointIntegrityError} CRC_MISMATCH
 * @example
 * await convertCheckpoint(checkpoint, (name) => fileSink(name), { kernels, fileName: "model.safetensors", to: "safetensors" });
 */
export async function convertCheckpoint(checkpoint: Checkpoint, create: CreateSink, options: ConvertOptions): Promise<ConvertReport> {
  const { kernels, dtype, to } = options;
  const tensors = chooseTensors(checkpoint, options);
  const keyOf = tieKeys();
  const integrity = options.checkCrc === false ? undefined : watchIntegrity(checkpoint, tensors, kernels);
  const buffer = kernels.allocate(PIECE_BYTES);
  const writing = { ...options, buffer: buffer.bytes, beforeCommit: () => integrity?.finish(options) ?? Promise.resolve() };
  try {
    if (to === "safetensors") {
      const outputs = tensors.map((tensor) =>
        outputTensor(options.all ? tensor.path : tensor.name, tensor.spec, keyOf(tensor.spec), dtype, kernels),
      );
      const { files, ties } = await writeSafetensors(outputs, create, { ...writing, metadata: { format: "pt", ...options.metadata } });
      return { files, ties, tensorCount: tensors.length, findings: [] };
    }
    const layout: Layout = to;
    const tree = arrangeTree(checkpoint, tensors, layout, options.all ?? false, options.select === undefined);
    const resolve = (spec: TensorHandle["spec"], name: string) => outputTensor(name, spec, keyOf(spec), dtype, kernels);
    const { files, findings } = await writeTorch(tree, resolve, create, writing);
    return { files, ties: new Map(), tensorCount: tensors.length, findings };
  } finally {
    integrity?.cancel();
    buffer.free();
  }
}

function chooseTensors(checkpoint: Checkpoint, { all, select }: ConvertOptions): TensorHandle[] {
  const model = checkpoint.tensors.filter(({ group }) => group === "model");
  if (!all && model.length === 0 && checkpoint.tensors.length > 0) extractStateDict(checkpoint.tree); // throws, and says what it looked for
  const chosen = (all ? checkpoint.tensors : model).filter((tensor) => !select || select(tensor));
  if (chosen.length > 0) return chosen;
  throw new CheckpointValidationError(
    "NO_TENSORS",
    `${checkpoint.uri} holds ${checkpoint.tensors.length} tensors, and none of them was chosen to be converted.`,
    {
      suggestions:
        checkpoint.tensors.length > 0
          ? ["Look at the paths with: ckpt inspect", "Convert every tensor with --all."]
          : ["Look at what it holds with: ckpt inspect --tree"],
    },
  );
}
