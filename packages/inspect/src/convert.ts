import {
  CAST_DTYPES,
  type CastDType,
  type Checkpoint,
  CheckpointValidationError,
  type CreateSink,
  type Finding,
  type Kernels,
  type Layout,
  loadCode,
  type OperationOptions,
  type OutputTensor,
  type TensorHandle,
} from "@ckptkit/core";
import { extractStateDict } from "@ckptkit/formats";
import { arrangeTree } from "./arrange.js";
import { watchIntegrity } from "./integrity.js";
import { outputTensor } from "./output-tensor.js";
import { PIECE_BYTES } from "./piece-bytes.js";
import type { SelectTensor } from "./select.js";
import { tieKeys } from "./tie-key.js";

/** What a checkpoint can be converted to: safetensors, a torch archive in one of the layouts, GGUF, or an archive of numpy arrays. */
export const CONVERT_TARGETS = ["safetensors", "pytorch", "lightning", "state_dict", "gguf", "npz"] as const;

/** One of {@link CONVERT_TARGETS}. */
export type ConvertTarget = (typeof CONVERT_TARGETS)[number];

/** How to convert. */
export interface ConvertOptions extends OperationOptions {
  kernels: Kernels;
  /** Name of the output; shards and their index get names derived from it. */
  fileName: string;
  to: ConvertTarget;
  /** Casts F64, F32, F16 and BF16 tensors and those in blocks of ggml, rounding to nearest even; others keep their dtype. */
  dtype?: CastDType | undefined;
  /** For GGUF: floating-point matrices whose rows are whole blocks become Q8_0; others are as `dtype` says. */
  quantize?: "Q8_0" | undefined;
  /** Splits safetensors into files of at most this many bytes of tensor data. */
  maxShardBytes?: number | undefined;
  /** Also optimizer states and other tensors; the model's weights alone when false. */
  all?: boolean | undefined;
  select?: SelectTensor | undefined;
  /** Checks the CRC-32 that the container recorded, as the bytes go by. Default true. */
  checkCrc?: boolean | undefined;
  /** Entries of `__metadata__` of safetensors, or texts of GGUF's metadata beside the checkpoint's own. */
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
  const buffer = kernels.allocate(2 * PIECE_BYTES);
  const writing = { ...options, buffer: buffer.bytes, beforeCommit: () => integrity?.finish(options) ?? Promise.resolve() };
  const outputsAs = (dtypeOf: (tensor: TensorHandle) => CastDType | undefined): OutputTensor[] =>
    tensors.map((tensor) => {
      const name = options.all ? tensor.path : tensor.name;
      return outputTensor(name, tensor.spec, keyOf(tensor.spec), dtypeOf(tensor), kernels);
    });
  try {
    if (to === "safetensors") {
      const { writeSafetensors } = await loadCode("the writer of safetensors", () => import("@ckptkit/formats/safetensors"));
      const outputs = outputsAs(() => dtype);
      const { files, ties } = await writeSafetensors(outputs, create, { ...writing, metadata: { format: "pt", ...options.metadata } });
      return { files, ties, tensorCount: tensors.length, findings: [] };
    }
    if (to === "npz") {
      const { writeNpz } = await loadCode("the writer of npz", () => import("@ckptkit/formats/npz"));
      const outputs = outputsAs(() => dtype);
      return { ...(await writeNpz(outputs, create, writing)), tensorCount: tensors.length, findings: [] };
    }
    if (to === "gguf") {
      const { ggufMetadataFor, isQuantizable, writeGguf } = await loadCode("the writer of GGUF", () => import("@ckptkit/formats/gguf"));
      const { quantize } = options;
      const outputs = outputsAs(({ spec, dtype: from }) => (quantize && isQuantizable(spec.shape) && isReal(spec, from) ? "F32" : dtype));
      const metadata = ggufMetadataFor(checkpoint, options.metadata, quantize ?? dtype);
      return { ...(await writeGguf(outputs, create, { ...writing, metadata })), tensorCount: tensors.length };
    }
    const { writeTorch } = await loadCode("the writer of torch archives", () => import("@ckptkit/formats/torch"));
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

/** Whether a tensor holds real numbers, stored as they are or in blocks. */
const isReal = ({ blocks }: TensorHandle["spec"], dtype: string): boolean =>
  blocks !== undefined || (CAST_DTYPES as readonly string[]).includes(dtype); // a wider type, to ask

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
