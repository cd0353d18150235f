import {
  CheckpointLoadError,
  countElements,
  DEFAULT_LIMITS,
  type Quantization,
  type SignalOptions,
  TensorHandle,
  type TensorSpec,
} from "@ckptkit/core";
import { decodeNumbers } from "@ckptkit/wasm/js";

/** Turns stored integers into the real numbers they stand for, in place. `first` and `step` are row-major places in the tensor. */
export type Dequantize = (integers: Float64Array, first: number, step: number) => void;

/**
 * How a quantised tensor's integers become real numbers, as torch's `dequantize()` computes them: in float32. Reads the scales of
 * a tensor that has one for each place of an axis.
 *
 * @see https://github.com/pytorch/pytorch/blob/main/aten/src/ATen/native/quantized/AffineQuantizerBase.cpp dequantize_val
 * @throws {CheckpointLoadError} TENSOR_OUT_OF_BOUNDS, LIMIT_EXCEEDED
 */
export async function dequantizer(spec: TensorSpec, options?: SignalOptions): Promise<Dequantize | undefined> {
  const { quantization, shape } = spec;
  if (!quantization) return undefined;
  if (quantization.scheme === "per_tensor_affine") {
    const { zeroPoint } = quantization;
    const scale = Math.fround(quantization.scale);
    return (integers) => {
      for (let i = 0; i < integers.length; i++) integers[i] = Math.fround(Math.fround((integers[i] ?? 0) - zeroPoint) * scale);
    };
  }
  const size = shape[quantization.axis];
  const [scales, zeroPoints] = await Promise.all([
    readAll(quantization.scales, "scales", options),
    readAll(quantization.zeroPoints, "zero points", options),
  ]);
  if (size === undefined || scales.length !== size || zeroPoints.length !== size) throw badQuantization(quantization, shape, scales.length);
  const inner = countElements(shape.slice(quantization.axis + 1));
  // Zero points that are floats make it a computation in float32 throughout.
  const isFloat = quantization.scheme === "per_channel_affine_float_qparams";
  return (integers, first, step) => {
    for (let i = 0; i < integers.length; i++) {
      const channel = Math.floor((first + i * step) / inner) % size;
      const distance = (integers[i] ?? 0) - (zeroPoints[channel] ?? 0);
      integers[i] = Math.fround((isFloat ? Math.fround(distance) : distance) * (scales[channel] ?? 0));
    }
  };
}

async function readAll(spec: TensorSpec, what: string, options?: SignalOptions): Promise<Float64Array> {
  const tensor = new TensorHandle(spec, { keys: [what], name: what, group: "other" });
  if (tensor.byteLength > DEFAULT_LIMITS.gatherBytes) {
    throw new CheckpointLoadError(
      "LIMIT_EXCEEDED",
      `The ${what} of a quantised tensor have ${tensor.byteLength} bytes; ${DEFAULT_LIMITS.gatherBytes} are allowed.`,
      {
        details: { limit: "gatherBytes", allowed: DEFAULT_LIMITS.gatherBytes, found: tensor.byteLength },
      },
    );
  }
  return decodeNumbers(spec.dtype, await tensor.read(options), new Float64Array(tensor.elementCount));
}

function badQuantization(
  { scheme, ...rest }: Exclude<Quantization, { scheme: "per_tensor_affine" }>,
  shape: readonly number[],
  found: number,
): CheckpointLoadError {
  return new CheckpointLoadError(
    "TENSOR_OUT_OF_BOUNDS",
    `A tensor of the shape [${shape.join(", ")}] has ${found} scales for axis ${rest.axis}: one for each place of the axis was expected.`,
    { details: { scheme, axis: rest.axis, shape, scales: found } },
  );
}
