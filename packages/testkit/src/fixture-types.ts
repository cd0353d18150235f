import type { DType, Layout, PathKey, Quantization, ScanResult, TensorGroup } from "@ckptkit/core";

/** What torch counts in a tensor: a {@link ScanResult} without the count of numbers. */
export type StatisticsTruth = Omit<ScanResult, "count">;

/** What torch says of one reference to a tensor. */
export interface TensorTruth extends Partial<StatisticsTruth> {
  /** The keys joined with '.'; two tensors may share it. */
  readonly path: string;
  /** Steps from the root. Keys that are neither text nor exact integers stand as Python's `str()`. */
  readonly keys: readonly PathKey[];
  /** Name in its state dict for model weights, else the path. Absent where the file has no clear model. */
  readonly name?: string;
  readonly group?: TensorGroup;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Of the contiguous, row-major, little-endian bytes; of the integers where quantised. Absent where the file has no bytes for it. */
  readonly sha256?: string;
  /** Bytes of that form. */
  readonly byteLength?: number;
  /** Tensors with the same number share one storage. */
  readonly storage?: number;
  readonly contiguous?: boolean;
  /** Elements between neighbours, where not contiguous. */
  readonly strides?: readonly number[];
  /** Elements from the storage's start, where not 0. */
  readonly storageOffset?: number;
  readonly conj?: boolean;
  readonly neg?: boolean;
  readonly requiresGrad?: boolean;
  readonly quantization?: QuantizationTruth;
  /** A numpy array inside the pickle. */
  readonly numpy?: boolean;
}

/** Scales and zero points as torch tells them. */
export interface QuantizationTruth {
  readonly scheme: Quantization["scheme"];
  readonly scale?: number;
  readonly zeroPoint?: number;
  readonly axis?: number;
  readonly scales?: readonly number[];
  readonly zeroPoints?: readonly number[];
}

/** A plain value and its Python type. */
export interface ValueTruth {
  readonly keys: readonly PathKey[];
  readonly type: "NoneType" | "bool" | "int" | "float" | "str" | "bytes" | "bytearray" | "complex";
  /** Integers beyond 2^53 - 1 as text, bytes as hexadecimal, complex as [real, imaginary], NaN and infinities by name. */
  readonly value: null | boolean | number | string | readonly [number, number];
}

/** One entry of `fixtures/files/manifest.json`. */
export interface FixtureEntry {
  readonly file: string;
  readonly format: "torch-zip" | "torch-legacy" | "safetensors" | "safetensors-sharded";
  readonly layout: Layout;
  /** The generator's function. */
  readonly made: string;
  /** What the file is for. */
  readonly note: string;
  readonly byteLength: number;
  /** Of the whole file. */
  readonly sha256: string;
  readonly versions: {
    readonly python: string;
    readonly torch: string;
    readonly lightning: string;
    readonly safetensors: string;
    readonly numpy: string;
  };
  /** Whether torch's restricted unpickler (`weights_only=True`) loads it; absent for safetensors. */
  readonly weightsOnly?: boolean;
  /** Other files that belong to it: shards. */
  readonly parts?: readonly string[];
  /** `false` when the weights were not written (skip_data). */
  readonly bytesWritten?: boolean;
  readonly truth: {
    readonly tensors: readonly TensorTruth[];
    readonly metadata: { readonly [key: string]: string | number };
    /** Paths at and under which the truth says nothing. */
    readonly unspecified?: readonly string[];
    readonly values?: readonly ValueTruth[];
  };
}

/** Whether the truth speaks of a path, or leaves open what a reader lists there. */
export function isSpecified(entry: FixtureEntry, path: string): boolean {
  return !(entry.truth.unspecified ?? []).some((open) => path === open || path.startsWith(`${open}.`));
}
