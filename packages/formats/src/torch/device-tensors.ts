import { type ByteSource, checkRange, Storage, type TensorSpec, type Tree } from "@ckptkit/core";
import type { PickleCall, PickleValue } from "@ckptkit/pickle";
import { type BuildContext, isKind } from "./build-context.js";
import { dtypeOfGlobal } from "./dtypes.js";
import { isTensor, tensorNode } from "./tensor-node.js";

/** (data, dtype, device, requires_grad): what stood on another device, as a tensor or a numpy array. */
export function deviceTensor(args: readonly PickleValue[], _call: PickleCall, context: BuildContext): Tree | undefined {
  const [data, dtypeName, , requiresGrad] = args;
  const built = isKind(data, "call") ? context.build(data) : undefined;
  const dtype = dtypeOfGlobal(context.nameOf(dtypeName) ?? "");
  if (!isTensor(built) || dtype === undefined) return undefined;
  const own = built.tensor.dtype === dtype ? built.tensor : dtype === "BF16" ? halvesOf(built.tensor) : undefined;
  return own && tensorNode(requiresGrad === true ? { ...own, requiresGrad } : own);
}

/** numpy has no bfloat16, so torch stores such tensors as float32: the upper halves are what was there. */
function halvesOf(spec: TensorSpec): TensorSpec | undefined {
  const { storage, strides, byteOffset } = spec;
  return storage === undefined || spec.dtype !== "F32" || storage.bigEndian || byteOffset !== 0 || strides !== undefined
    ? undefined
    : { ...spec, dtype: "BF16", storage: new Storage({ id: `${storage.id}:bfloat16`, bytes: upperHalves(storage) }) };
}

/** The two upper bytes of every four of a storage. */
function upperHalves(storage: Storage): ByteSource {
  const source: ByteSource = {
    size: storage.byteLength / 2,
    name: `${storage.id} as bfloat16`,
    async read(start, end, options) {
      checkRange(source, start, end);
      const first = start - (start % 2);
      const whole = new Uint8Array(2 * (end + (end % 2) - first));
      await storage.readInto(whole, 2 * first, options);
      const halves = new Uint8Array(end - start);
      for (let at = start; at < end; at++) halves[at - start] = whole[2 * (at - (at % 2) - first) + 2 + (at % 2)] ?? 0;
      return halves;
    },
  };
  return source;
}
