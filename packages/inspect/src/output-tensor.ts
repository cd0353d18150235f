import {
  type Bytes,
  CAST_DTYPES,
  type CastDType,
  countElements,
  DTYPES,
  decodedTensor,
  isDType,
  type Kernels,
  type OutputTensor,
  TensorHandle,
  type TensorSpec,
} from "@ckptkit/core";

const isCastDType = (dtype: string): dtype is CastDType => (CAST_DTYPES as readonly string[]).includes(dtype);

/**
 * A tensor as a writer takes it, cast to another floating-point dtype where that is asked for.
 *
 * @param to applies to F64, F32, F16 and BF16 tensors, and to those that are packed in blocks.
 */
export function outputTensor(name: string, spec: TensorSpec, tieKey: string, to: CastDType | undefined, kernels: Kernels): OutputTensor {
  const stored = new TensorHandle(spec, { keys: [name], name, group: "model" });
  // Blocks stay as they are unless a cast is asked for.
  const tensor = to === undefined ? stored : decodedTensor(stored);
  const from = tensor.dtype;
  if (to === undefined || from === to || !isCastDType(from)) {
    return {
      name,
      dtype: from,
      shape: spec.shape,
      byteLength: tensor.byteLength,
      tieKey: tensor === stored ? tieKey : `${tieKey}>${from}`,
      chunks: (buffer, options) => tensor.chunks(buffer, options),
      ...(canFill(tensor) && { fill: (target, start, options) => tensor.readInto(target, start, options) }),
    };
  }
  const fromBytes = DTYPES[from].bits / 8;
  const toBytes = DTYPES[to].bits / 8;
  return {
    name,
    dtype: to,
    shape: spec.shape,
    byteLength: countElements(spec.shape) * toBytes,
    tieKey: `${tieKey}>${to}`,
    async *chunks(buffer, options) {
      const { source, target } = divide(buffer, fromBytes, toBytes);
      for await (const bytes of tensor.chunks(source, options)) {
        yield target.subarray(0, kernels.cast(from, to, bytes, target));
      }
    },
    ...(canFill(tensor) && {
      fill: (target, start, options) =>
        inTurn(kernels, async () => {
          const source = kernels.allocate(Math.min(CAST_BYTES, (target.length / toBytes) * fromBytes));
          try {
            const step = (source.bytes.length / fromBytes) * toBytes;
            for (let at = 0; at < target.length; at += step) {
              const part = target.subarray(at, at + step);
              const bytes = source.bytes.subarray(0, (part.length / toBytes) * fromBytes);
              await tensor.readInto(bytes, ((start + at) / toBytes) * fromBytes, options);
              kernels.cast(from, to, bytes, part);
            }
          } finally {
            source.free();
          }
        }),
    }),
  };
}

/** Bytes of one read of a tensor that is cast. */
const CAST_BYTES = 4 * 1024 * 1024;

const casting = new WeakMap<Kernels, Promise<void>>();

/** One cast at a time, however many are asked for: the kernels' memory has room for one. */
function inTurn(kernels: Kernels, cast: () => Promise<void>): Promise<void> {
  const turn = (casting.get(kernels) ?? Promise.resolve()).then(cast);
  casting.set(
    kernels,
    turn.catch(() => {}),
  );
  return turn;
}

/** Whether bytes from anywhere cost no more than those from the start: strided and packed tensors are put together in large pieces. */
const canFill = (tensor: TensorHandle): boolean => tensor.contiguous && tensor.spec.blocks === undefined && isDType(tensor.dtype);

/** Splits a buffer into room for elements before and after a cast, both at multiples of 64 bytes. */
function divide(buffer: Bytes, fromBytes: number, toBytes: number): { source: Bytes; target: Bytes } {
  const elements = Math.floor(buffer.length / (fromBytes + toBytes) / 64) * 64;
  const middle = elements * fromBytes;
  return { source: buffer.subarray(0, middle), target: buffer.subarray(middle, middle + elements * toBytes) };
}
