import {
  asNumber,
  DTYPES,
  isDType,
  isNode,
  type ObjectNode,
  type Quantization,
  type TensorNode,
  type TensorSpec,
  type Tree,
} from "@ckptkit/core";
import { entriesOf, type PickleCall, type PickleValue, valueAtKey } from "@ckptkit/pickle";
import { type BuildContext, type Constructor, describeValue, isKind, torchError } from "./build-context.js";
import { deviceTensor } from "./device-tensors.js";
import { dtypeOfClass, dtypeOfGlobal } from "./dtypes.js";
import { integer, resolveStorage } from "./storage-id.js";
import { isTensor, tensorNode } from "./tensor-node.js";

/** Makes a nested tensor of jagged layout from a map of its parts. */
const JAGGED = "torch.nested._internal.nested_tensor._rebuild_njt";

/**
 * The functions that torch names in a pickle to make a tensor, and what their arguments are.
 *
 * @see https://github.com/pytorch/pytorch torch/_utils.py (_rebuild_*), torch/_tensor.py (_rebuild_from_type_v2)
 */
export const TENSOR_CONSTRUCTORS: Readonly<Record<string, Constructor>> = {
  "torch._utils._rebuild_tensor": (args, _call, context) => strided(args, context, {}),
  "torch._utils._rebuild_tensor_v2": (args, _call, context) => strided(args, context, { requiresGrad: args[4], flags: args[6] }),
  "torch._utils._rebuild_tensor_v3": (args, _call, context) =>
    strided(args, context, { requiresGrad: args[4], dtype: context.nameOf(args[6]) ?? describeValue(args[6]), flags: args[7] }),
  "torch._utils._rebuild_qtensor": quantized,
  "torch._utils._rebuild_parameter": parameter,
  "torch._utils._rebuild_parameter_with_state": parameter,
  "torch.nn.parameter.Parameter": parameter,
  "torch._utils._rebuild_meta_tensor_no_storage": ([dtypeName, size, stride, requiresGrad], _call, context) => {
    const dtype = dtypeOfGlobal(context.nameOf(dtypeName) ?? "");
    if (dtype === undefined) return undefined;
    return tensorNode({
      dtype,
      shape: integers(size, "size of a tensor", context),
      strides: integers(stride, "stride of a tensor", context),
      storage: undefined,
      byteOffset: 0,
      requiresGrad: requiresGrad === true,
    });
  },
  "torch._utils._rebuild_sparse_tensor": ([layout, data], _call, context) => {
    const built = layout === undefined ? null : context.build(layout);
    const name = isNode(built) && built.kind === "global" ? built.name : "";
    const parts = Object.hasOwn(SPARSE_PARTS, name) ? SPARSE_PARTS[name] : undefined;
    return parts !== undefined && isKind(data, "tuple") ? composite(name, parts, data.items, context) : undefined;
  },
  "torch.serialization._get_layout": ([name]) => (typeof name === "string" ? { kind: "global", name } : undefined),
  "torch._utils._rebuild_nested_tensor": (args, _call, context) => composite("torch.nested_tensor", NESTED_PARTS, args, context),
  [JAGGED]: ([parts], _call, context) => {
    if (!isKind(parts, "dict")) return undefined;
    return {
      kind: "object",
      type: "torch.nested_tensor",
      attributes: { kind: "map", type: "dict", entries: context.buildEntries(parts.keysAndValues) },
    };
  },
  "torch._tensor._rebuild_from_type_v2": rebuildFromType,
  "torch.tensor._rebuild_from_type_v2": rebuildFromType,
  "torch._tensor._rebuild_from_type": rebuildFromType,
  "torch._utils._rebuild_wrapper_subclass": wrapperSubclass,
  "torch._utils._rebuild_device_tensor_from_numpy": deviceTensor,
  "torch._utils._rebuild_xla_tensor": deviceTensor, // its name before torch 1.12
  "torch._utils._rebuild_device_tensor_from_cpu_tensor": deviceTensor,
};

/** What the data of a sparse tensor of each layout consists of, in order. */
const SPARSE_PARTS: Readonly<Record<string, string>> = {
  "torch.sparse_coo": "indices values size is_coalesced",
  "torch.sparse_csr": "crow_indices col_indices values size",
  "torch.sparse_bsr": "crow_indices col_indices values size",
  "torch.sparse_csc": "ccol_indices row_indices values size",
  "torch.sparse_bsc": "ccol_indices row_indices values size",
};
const NESTED_PARTS = "buffer sizes strides storage_offsets";
const WRAPPER_PARTS = "dtype size stride storage_offset layout device requires_grad";

/** A tensor that is made of several dense ones: an object with those as its attributes. */
function composite(type: string, names: string, parts: readonly PickleValue[], context: BuildContext): ObjectNode {
  context.charge(parts.length);
  const entries = parts.map((part, index): [Tree, Tree] => [names.split(" ")[index] ?? `part_${index}`, context.build(part)]);
  return { kind: "object", type, attributes: { kind: "map", type: "dict", entries } };
}

/**
 * `func(*args)` of a subclass: what the inner function makes. State of the subclass goes to what is an object; what is a tensor
 * has no place for it.
 */
function rebuildFromType(args: readonly PickleValue[], call: PickleCall, context: BuildContext): Tree | undefined {
  const name = context.nameOf(args[0]);
  const inner = isKind(args[2], "tuple") ? args[2].items : undefined;
  if (name === undefined || inner === undefined) return undefined;
  const made = context.construct(name, inner, call);
  if (isTensor(made)) return withState(made, args[3], context);
  if (!isNode(made) || made.kind !== "object" || !name.startsWith("torch.")) return undefined;
  // A jagged tensor's state repeats its arguments.
  if (args[3] !== undefined && name !== JAGGED) context.addState(made, args[3]);
  return made;
}

/** A subclass that wraps other tensors, such as DTensor: its type, dtype and shape; the tensors are in its state. */
function wrapperSubclass(args: readonly PickleValue[], _call: PickleCall, context: BuildContext): Tree | undefined {
  const type = context.nameOf(args[0]);
  return type === undefined ? undefined : composite(type, WRAPPER_PARTS, args.slice(1), context);
}

/** Says so where a tensor's own attributes hold more than plain values, for they are not listed. */
function withState(tensor: TensorNode, state: PickleValue | undefined, context: BuildContext): TensorNode {
  const parts = isKind(state, "tuple") ? state.items : [state];
  const hidden = parts.flatMap((part) =>
    isKind(part, "dict") ? entriesOf(part.keysAndValues).filter(([, value]) => isKind(value, "call")) : [],
  );
  if (hidden.length > 0) {
    const names = hidden.slice(0, 5).map(([key]) => describeValue(key));
    const message = `A tensor has attributes of its own, which are not shown: ${names.join(", ")}${hidden.length > 5 ? " ..." : ""}.`;
    context.note({ rule: "torch-tensor-attributes", severity: "info", message });
  }
  return tensor;
}

/** Legacy tensor classes, whose BUILD state is (storage, offset, size, stride). */
export function tensorOfClass(name: string, call: PickleCall, context: BuildContext): Tree | undefined {
  if (dtypeOfClass(name, "Tensor") === undefined) return undefined;
  const state = call.states?.[0];
  if (!isKind(state, "tuple") || state.items.length !== 4) return undefined;
  return strided(state.items, context, {});
}

const isFloating = ({ dtype }: TensorSpec): boolean => isDType(dtype) && DTYPES[dtype].kind === "float";

interface StridedExtras {
  requiresGrad?: PickleValue | undefined;
  /** Name of the dtype, for storages that have none. */
  dtype?: string | undefined;
  /** The map of flags {conj, neg}. */
  flags?: PickleValue | undefined;
  quantization?: Quantization;
}

/** (storage, offset in elements, size, stride, ...): the first arguments of all strided tensors. */
function strided(args: readonly PickleValue[], context: BuildContext, extras: StridedExtras): Tree | undefined {
  const [id, offset, size, stride] = args;
  if (!isKind(id, "persistent")) return undefined;
  const { storage, dtype: ownDtype } = resolveStorage(id.id, context);
  const dtype = extras.dtype === undefined ? ownDtype : dtypeOfGlobal(extras.dtype);
  if (dtype === undefined) {
    throw torchError(`A tensor has the unknown dtype ${extras.dtype ?? "of an untyped storage"}.`, { dtype: extras.dtype });
  }
  const spec: { -readonly [key in keyof TensorSpec]: TensorSpec[key] } = {
    dtype,
    shape: integers(size, "size of a tensor", context),
    strides: integers(stride, "stride of a tensor", context),
    storage,
    byteOffset: integer(offset, "offset of a tensor") * (DTYPES[dtype].bits / 8),
    requiresGrad: extras.requiresGrad === true,
  };
  if (isKind(extras.flags, "dict")) {
    context.charge(extras.flags.keysAndValues.length / 2);
    if (valueAtKey(extras.flags, "conj") === true) spec.conj = true;
    if (valueAtKey(extras.flags, "neg") === true) spec.neg = true;
  }
  if (extras.quantization) spec.quantization = extras.quantization;
  return tensorNode(spec);
}

function parameter(args: readonly PickleValue[], _call: PickleCall, context: BuildContext): Tree | undefined {
  const data = args[0] === undefined ? undefined : context.build(args[0]);
  if (isTensor(data)) return withState(tensorNode({ ...data.tensor, requiresGrad: args[1] !== false }), args[3], context);
  // A parameter of a tensor that is made of several: a sparse one, a wrapper.
  const isComposite = isKind(args[0], "call") && context.nameOf(args[0].callable)?.startsWith("torch.") === true;
  return isComposite && isNode(data) && data.kind === "object" ? data : undefined;
}

/** (storage, offset, size, stride, quantizer parameters, requires_grad, hooks) */
function quantized(args: readonly PickleValue[], _call: PickleCall, context: BuildContext): Tree | undefined {
  const params = args[4];
  if (!isKind(params, "tuple")) return undefined;
  const [scheme, first, second, axis] = params.items;
  const schemeName = context.nameOf(scheme);
  const extras: StridedExtras = { requiresGrad: args[5] };
  if (schemeName === "torch.per_tensor_affine") {
    const scale = asNumber(context.build(first ?? null));
    const zeroPoint = asNumber(context.build(second ?? null));
    if (scale === undefined || zeroPoint === undefined) return undefined;
    extras.quantization = { scheme: "per_tensor_affine", scale, zeroPoint };
  } else if (schemeName === "torch.per_channel_affine" || schemeName === "torch.per_channel_affine_float_qparams") {
    const scales = context.build(first ?? null);
    const zeroPoints = context.build(second ?? null);
    if (!isTensor(scales) || !isTensor(zeroPoints)) return undefined;
    // torch writes per_channel_affine for both, and tells them apart by the zero points.
    const scheme = isFloating(zeroPoints.tensor) ? "per_channel_affine_float_qparams" : "per_channel_affine";
    const axisIndex = integer(axis, "axis of a tensor");
    extras.quantization = { scheme, axis: axisIndex, scales: scales.tensor, zeroPoints: zeroPoints.tensor };
  } else return undefined;
  return strided(args, context, extras);
}

/** Axes of one tensor. torch has no bound; numpy's is 64. */
const MOST_AXES = 1024;

/** A tuple of integers, or the call torch.Size((...)). */
function integers(value: PickleValue | undefined, what: string, context: BuildContext): number[] {
  const inner = isKind(value, "call") && context.nameOf(value.callable) === "torch.Size" ? value.args[0] : value;
  if ((!isKind(inner, "tuple") && !isKind(inner, "list")) || inner.items.length > MOST_AXES) {
    throw torchError(`The ${what} is ${describeValue(inner)}, not a tuple of up to ${MOST_AXES} integers.`);
  }
  context.charge(inner.items.length);
  const integers: number[] = [];
  for (const item of inner.items) integers.push(integer(item, what));
  return integers;
}
