import {
  CheckpointValidationError,
  contiguousStrides,
  DTYPES,
  type DType,
  isDType,
  type OutputTensor,
  realNumber,
  type TensorSpec,
} from "@ckptkit/core";
import type { PickleValue } from "@ckptkit/pickle";
import { quoted } from "../quoted.js";
import { storageClassOf, torchNameOf, UNTYPED_STORAGE } from "./dtypes.js";
import { call, global, tuple } from "./pickle-parts.js";

/** Gives the bytes to write for a tensor of a tree. The same view gives outputs of the same `tieKey`. */
export type ResolveTensor = (spec: TensorSpec, name: string) => OutputTensor;

/** Turns tensors into the calls that rebuild them, and numbers their storages. Tied tensors give one call. */
export class TensorPickler {
  /** Storages to write, by key, in the order of their first mention. */
  readonly storages: OutputTensor[] = [];
  readonly #resolve: ResolveTensor;
  readonly #keys = new Map<string, number>();
  readonly #pickled = new Map<string, PickleValue>();

  constructor(resolve: ResolveTensor) {
    this.#resolve = resolve;
  }

  /**
   * The call that rebuilds a tensor; undefined when its type is none that torch has, such as numpy's text.
   *
   * @param path where it stands, for messages.
   * @throws {CheckpointValidationError} UNSUPPORTED_DTYPE for weights that torch has no dtype for
   */
  pickle(spec: TensorSpec, path: string): PickleValue | undefined {
    const output = this.#resolve(spec, path);
    if (!isDType(output.dtype)) return undefined;
    if (!spec.storage && output.byteLength > 0) return this.#meta(output, output.dtype, spec.requiresGrad === true);
    const requiresGrad = spec.requiresGrad === true && ["float", "complex"].includes(DTYPES[output.dtype].kind);
    const tieKey = `${requiresGrad} ${output.tieKey}`;
    const known = this.#pickled.get(tieKey);
    if (known !== undefined) return known;
    const value =
      output.dtype === "F4"
        ? this.#rebuild(spec, inPairs(output), "F4_X2", requiresGrad, path)
        : this.#rebuild(spec, output, output.dtype, requiresGrad, path);
    if (value !== undefined) this.#pickled.set(tieKey, value);
    return value;
  }

  /** A tensor without bytes (meta device). */
  #meta(output: OutputTensor, dtype: DType, requiresGrad: boolean): PickleValue {
    const torchName = torchNameOf(dtype);
    if (torchName === undefined) throw noTorchDType(output);
    const stride = tuple(...contiguousStrides(output.shape));
    return call("torch._utils._rebuild_meta_tensor_no_storage", global(`torch.${torchName}`), tuple(...output.shape), stride, requiresGrad);
  }

  #rebuild(spec: TensorSpec, output: OutputTensor, dtype: DType, requiresGrad: boolean, path: string): PickleValue | undefined {
    const itemBytes = DTYPES[dtype].bits / 8;
    const storageClass = storageClassOf(dtype);
    const torchName = torchNameOf(dtype);
    if (torchName === undefined || itemBytes < 1) throw noTorchDType(output);
    const id = tuple(
      "storage",
      global(storageClass === undefined ? UNTYPED_STORAGE : `torch.${storageClass}`),
      this.#storageKey(output),
      "cpu",
      storageClass === undefined ? output.byteLength : output.byteLength / itemBytes,
    );
    const size = tuple(...output.shape);
    const stride = tuple(...contiguousStrides(output.shape));
    const persistent: PickleValue = { kind: "persistent", id };
    const hooks = call("collections.OrderedDict");
    if (spec.quantization && DTYPES[dtype].kind === "quantized") {
      const parameters = this.#quantizer(spec.quantization, path);
      return parameters && call("torch._utils._rebuild_qtensor", persistent, 0, size, stride, parameters, requiresGrad, hooks);
    }
    if (storageClass !== undefined) return call("torch._utils._rebuild_tensor_v2", persistent, 0, size, stride, requiresGrad, hooks);
    const code = global(`torch.${torchName}`);
    return call("torch._utils._rebuild_tensor_v3", persistent, 0, size, stride, requiresGrad, hooks, code);
  }

  #quantizer(quantization: NonNullable<TensorSpec["quantization"]>, path: string): PickleValue | undefined {
    if (quantization.scheme === "per_tensor_affine") {
      return tuple(global("torch.per_tensor_affine"), realNumber(quantization.scale), quantization.zeroPoint);
    }
    const scales = this.pickle(quantization.scales, `${path}.scales`);
    const zeroPoints = this.pickle(quantization.zeroPoints, `${path}.zero_points`);
    if (scales === undefined || zeroPoints === undefined) return undefined;
    return tuple(global(`torch.${quantization.scheme}`), scales, zeroPoints, quantization.axis);
  }

  #storageKey(output: OutputTensor): string {
    let key = this.#keys.get(output.tieKey);
    if (key === undefined) {
      key = this.storages.push(output) - 1;
      this.#keys.set(output.tieKey, key);
    }
    return String(key);
  }
}

/** 4-bit floats as torch counts them: two in an element. */
function inPairs(output: OutputTensor): OutputTensor {
  const last = output.shape.at(-1) ?? 0;
  if (last % 2 !== 0 || last === 0) throw noTorchDType(output);
  return { ...output, dtype: "F4_X2", shape: [...output.shape.slice(0, -1), last / 2] };
}

/** The error for a tensor that must not be left out and that torch has no type for. */
function noTorchDType({ name, dtype, shape }: OutputTensor): CheckpointValidationError {
  return new CheckpointValidationError(
    "UNSUPPORTED_DTYPE",
    `torch has no dtype for the tensor ${quoted(name)} (${dtype}, shape [${shape.join(", ")}]).`,
    {
      details: { name, dtype, shape },
      suggestions: ["Write safetensors (--to safetensors), which keeps this dtype.", "Leave the tensor out with --filter."],
    },
  );
}
