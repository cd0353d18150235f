import type { Checkpoint, Finding, Json, Layout, PathKey, TensorGroup, TensorHandle } from "@ckptkit/core";

/** One tensor as `ckpt inspect --json` lists it. */
export interface TensorReport {
  path: string;
  keys: readonly PathKey[];
  name: string;
  group: TensorGroup;
  dtype: string;
  shape: readonly number[];
  /** Bytes of the contiguous form. */
  byteLength: number;
  /** Where the bytes are, when they are in the file: tensors with one id share bytes. `strides` are elements. */
  storage?: { id: string; byteOffset: number; strides: readonly number[] };
  /** How integers stand for real numbers. */
  quantization?: Json;
}

/** What `ckpt inspect --json` prints, apart from `io`. */
export interface InspectReport {
  uri: string;
  format: string;
  layout: Layout;
  byteLength: number;
  tensors: TensorReport[];
  metadata: Checkpoint["metadata"];
  findings: readonly Finding[];
}

/**
 * The description of a checkpoint as plain JSON. Reads nothing.
 *
 * @example console.log(JSON.stringify(describeCheckpoint(checkpoint)));
 */
export function describeCheckpoint(checkpoint: Checkpoint): InspectReport {
  const { uri, format, layout, byteLength, metadata, findings } = checkpoint;
  return { uri, format, layout, byteLength, tensors: checkpoint.tensors.map(describeTensor), metadata, findings };
}

function describeTensor(tensor: TensorHandle): TensorReport {
  const { path, keys, name, group, dtype, shape, byteLength, storage, strides, spec } = tensor;
  const report: TensorReport = { path, keys, name, group, dtype, shape, byteLength };
  if (storage) report.storage = { id: storage.id, byteOffset: spec.byteOffset, strides };
  if (spec.quantization?.scheme === "per_tensor_affine") report.quantization = { ...spec.quantization };
  else if (spec.quantization) report.quantization = { scheme: spec.quantization.scheme, axis: spec.quantization.axis };
  return report;
}
