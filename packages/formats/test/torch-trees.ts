import { type Checkpoint, DTYPES, type DType, type ListNode, type MapNode, type Tree } from "@ckptkit/core";
import { jsKernels } from "@ckptkit/wasm/js";
import { openCheckpoint, type ResolveTensor, type TorchWriteOptions, writeTorch } from "../src/index.js";
import { torchNameOf } from "../src/torch/dtypes.js";
import { output, type Sample, specOf } from "./output-tensors.js";
import { memoryFiles } from "./sinks.js";

/** What the writer takes, with some of it replaced. */
export const options = (more: Partial<TorchWriteOptions> = {}): TorchWriteOptions => ({
  fileName: "model.pt",
  buffer: new Uint8Array(64),
  kernels: jsKernels(),
  ...more,
});

/** Dtypes that torch can save without further parameters. */
export const DTYPES_WRITTEN = (Object.keys(DTYPES) as DType[]).filter(
  (dtype) => torchNameOf(dtype) !== undefined && DTYPES[dtype].kind !== "quantized" && DTYPES[dtype].bits >= 8,
);

export const map = (entries: [Tree, Tree][], type = "collections.OrderedDict"): MapNode => ({ kind: "map", type, entries });
export const list = (type: string, ...items: Tree[]): ListNode => ({ kind: "list", type, items });
export const f32 = (name: string, ...values: number[]): Sample => ({
  name,
  dtype: "F32",
  shape: [values.length],
  bytes: new Uint8Array(new Float32Array(values).buffer),
});

/** Writes a tree that holds samples, and opens it. */
export async function written(tree: Tree, all: readonly Sample[], more: Partial<TorchWriteOptions> = {}): Promise<Checkpoint> {
  const files = memoryFiles();
  const { findings } = await writeTorch(tree, resolveIn(all), files.create, options(more));
  const checkpoint = await openCheckpoint(files.source(more.fileName ?? "model.pt"));
  return { ...checkpoint, findings: [...checkpoint.findings, ...findings] };
}

/** Gives the samples that trees refer to, by their names. */
export const resolveIn =
  (all: readonly Sample[]): ResolveTensor =>
  (spec) => {
    const sample = all.find(({ name }) => name === spec.storage?.id);
    if (!sample) throw new Error("Not one of the samples.");
    return output(sample);
  };

export const tensorOf = (sample: Sample): Tree => ({ kind: "tensor", tensor: specOf(sample) });
