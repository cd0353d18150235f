import { asNumber, DTYPES, type DType, isNode, type Quantization, type Storage, type TensorSpec, type Tree } from "@ckptkit/core";
import type { PickleCall, PickleValue } from "@ckptkit/pickle";
import { dtypeOfClass, dtypeOfGlobal, UNTYPED_STORAGE } from "./dtypes.js";
import { type Constructor, isKind, type TreeBuilder, torchError } from "./tree-builder.js";

/**
 * The functions that torch names in a pickle to make a tensor, and what their arguments are.
 *
 * @see https://github.com/pytorch/pytorch torch/_utils.py (_rebuild_*), torch/_tensor.py (_rebuild_from_type_v2)
 */
export const TENSOR_CONSTRUCTORS: Readonly<Record<string, Constructor>> = {
  "torch._utils._rebuild_tensor": (args, _call, builder) => strided(args, builder, {}),
  "torch._utils._rebuild_tensor_v2": (args, _call, builder) => strided(args, builder, { requiresGrad: args[4], flags: args[6] }),
  "torch._utils._rebuild_tensor_v3": (args, _call, builder) =>
    strided(args, builder, { requiresGrad: args[4], dtype: builder.nameOf(args[6]), flags: args[7] }),
  "torch._utils._rebuild_qtensor": (args, _call, builder) => quantized(args, builder),
  "torch._utils._rebuild_parameter": (args, _call, builder) => parameter(args, builder),
  "torch._utils._rebuild_parameter_with_state": (args, _call, builder) => parameter(args, builder),
  "torch.nn.parameter.Parameter": (args, _call, builder) => parameter(args, builder),
  "torch._utils._rebuild_meta_tensor_no_storage": ([dtypeName, size, stride, requiresGrad], _call, builder) => {
    const dtype = dtypeOfGlobal(builder.nameOf(dtypeName) ?? "");
    if (dtype === undefined) return undefined;
    return tensorNode({
      dtype,
      shape: integers(size, "size"),
      strides: integers(stride, "stride"),
      storage: undefined,
      byteOffset: 0,
      requiresGrad: requiresGrad === true,
    });
  },
  "torch._utils._rebuild_sparse_tensor": ([layout, data], _call, builder) => {
    const built = layout === undefined ? null : builder.build(layout);
    const name = isNode(built) && built.kind === "global" ? built.name : undefined;
    const parts = name === undefined || !Object.hasOwn(SPARSE_PARTS, name) ? undefined : SPARSE_PARTS[name];
    return name !== undefined && parts && isKind(data, "tuple") ? composite(name, parts, data.items, builder) : undefined;
  },
  "torch.serialization._get_layout": ([name]) => (typeof name === "string" ? { kind: "global", name } : undefined),
  "torch._utils._rebuild_nested_tensor": (args, _call, builder) => composite("torch.nested_tensor", NESTED_PARTS, args, builder),
  "torch._tensor._rebuild_from_type_v2": rebuildFromType,
  "torch.tensor._rebuild_from_type_v2": rebuildFromType,
  "torch._tensor._rebuild_from_type": rebuildFromType,
  "torch._utils._rebuild_device_tensor_from_numpy": (args, _call, builder) => {
    const array = isKind(args[0], "call") ? builder.build(args[0]) : undefined;
    const same = isTensor(array) && array.tensor.dtype === dtypeOfGlobal(builder.nameOf(args[1]) ?? "");
    return same ? array : undefined;
  },
  "torch._utils._rebuild_device_tensor_from_cpu_tensor": (args, _call, builder) => {
    const tensor = isKind(args[0], "call") ? builder.build(args[0]) : undefined;
    return isTensor(tensor) ? tensor : undefined;
  },
};

/** What the data of a sparse tensor of each layout consists of, in order. */
const SPARSE_PARTS: Readonly<Record<string, readonly string[]>> = {
  "torch.sparse_coo": ["indices", "values", "size", "is_coalesced"],
  "torch.sparse_csr": ["crow_indices", "col_indices", "values", "size"],
  "torch.sparse_bsr": ["crow_indices", "col_indices", "values", "size"],
  "torch.sparse_csc": ["ccol_indices", "row_indices", "values", "size"],
  "torch.sparse_bsc": ["ccol_indices", "row_indices", "values", "size"],
};
const NESTED_PARTS = ["buffer", "sizes", "strides", "storage_offsets"];

/** A tensor that is made of several dense ones: an object with those as its attributes. */
function composite(type: string, names: readonly string[], parts: readonly PickleValue[], builder: TreeBuilder): Tree {
  const entries = parts.map((part, index): [Tree, Tree] => [names[index] ?? `part_${index}`, builder.build(part)]);
  return { kind: "object", type, attributes: { kind: "map", type: "dict", entries } };
}

/** `func(*args)` of a subclass: the tensor that the inner function makes. */
function rebuildFromType(args: readonly PickleValue[], call: PickleCall, builder: TreeBuilder): Tree | undefined {
  const name = builder.nameOf(args[0]);
  const inner = isKind(args[2], "tuple") ? args[2].items : undefined;
  if (name === undefined || inner === undefined) return undefined;
  const made = builder.construct(name, inner, call);
  return isTensor(made) ? made : undefined;
}

/** Legacy tensor classes, whose BUILD state is (storage, offset, size, stride). */
export function tensorOfClass(name: string, call: PickleCall, builder: TreeBuilder): Tree | undefined {
  if (dtypeOfClass(name, "Tensor") === undefined) return undefined;
  const state = call.states?.[0];
  if (!isKind(state, "tuple") || state.items.length !== 4) return undefined;
  return strided(state.items, builder, {});
}

const isTensor = (tree: Tree | undefined): tree is Extract<Tree, { kind: "tensor" }> => isNode(tree) && tree.kind === "tensor";
const tensorNode = (tensor: TensorSpec): Tree => ({ kind: "tensor", tensor });

interface StridedExtras {
  requiresGrad?: PickleValue | undefined;
  /** Name of the dtype, for storages that have none. */
  dtype?: string | undefined;
  /** The map of flags {conj, neg}. */
  flags?: PickleValue | undefined;
  quantization?: Quantization;
}

/** (storage, offset in elements, size, stride, ...): the first arguments of all strided tensors. */
function strided(args: readonly PickleValue[], builder: TreeBuilder, extras: StridedExtras): Tree | undefined {
  const [id, offset, size, stride] = args;
  if (!isKind(id, "persistent")) return undefined;
  const { storage, dtype: ownDtype } = resolveStorage(id.id, builder);
  const dtype = extras.dtype === undefined ? ownDtype : dtypeOfGlobal(extras.dtype);
  if (dtype === undefined)
    throw torchError(`A tensor has the dtype ${extras.dtype ?? "of an untyped storage"}, which is not known.`, { dtype: extras.dtype });
  const flag = (name: string): boolean =>
    isKind(extras.flags, "dict") && extras.flags.entries.some(([key, value]) => key === name && value === true);
  return tensorNode({
    dtype,
    shape: integers(size, "size"),
    strides: integers(stride, "stride"),
    storage,
    byteOffset: integer(offset, "storage offset") * (DTYPES[dtype].bits / 8),
    requiresGrad: extras.requiresGrad === true,
    ...(flag("conj") ? { conj: true } : {}),
    ...(flag("neg") ? { neg: true } : {}),
    ...(extras.quantization ? { quantization: extras.quantization } : {}),
  });
}

function parameter(args: readonly PickleValue[], builder: TreeBuilder): Tree | undefined {
  const data = args[0] === undefined ? undefined : builder.build(args[0]);
  if (!isTensor(data)) return undefined;
  return tensorNode({ ...data.tensor, requiresGrad: args[1] !== false });
}

/** (storage, offset, size, stride, quantizer parameters, requires_grad, hooks) */
function quantized(args: readonly PickleValue[], builder: TreeBuilder): Tree | undefined {
  const params = args[4];
  if (!isKind(params, "tuple")) return undefined;
  const [scheme, first, second, axis] = params.items;
  const schemeName = builder.nameOf(scheme);
  const extras: StridedExtras = { requiresGrad: args[5] };
  if (schemeName === "torch.per_tensor_affine") {
    const scale = asNumber(builder.build(first ?? null));
    const zeroPoint = asNumber(builder.build(second ?? null));
    if (scale === undefined || zeroPoint === undefined) return undefined;
    extras.quantization = { scheme: "per_tensor_affine", scale, zeroPoint };
  } else if (schemeName === "torch.per_channel_affine" || schemeName === "torch.per_channel_affine_float_qparams") {
    const scales = builder.build(first ?? null);
    const zeroPoints = builder.build(second ?? null);
    if (!isTensor(scales) || !isTensor(zeroPoints)) return undefined;
    const short = schemeName === "torch.per_channel_affine" ? "per_channel_affine" : "per_channel_affine_float_qparams";
    extras.quantization = { scheme: short, axis: integer(axis, "quantisation axis"), scales: scales.tensor, zeroPoints: zeroPoints.tensor };
  } else return undefined;
  return strided(args, builder, extras);
}

/** ('storage', class, key, location, element count[, view of a root storage]) */
function resolveStorage(id: PickleValue, builder: TreeBuilder): { storage: Storage; dtype: DType | undefined } {
  const [tag, cls, key, , count, view] = isKind(id, "tuple") ? id.items : [];
  const className = builder.nameOf(cls);
  if (tag !== "storage" || className === undefined || (typeof key !== "string" && typeof key !== "number")) {
    throw torchError("A tensor's storage is named by a persistent id that is not ('storage', class, key, location, size).");
  }
  const dtype = dtypeOfClass(className, "Storage");
  if (dtype === undefined && className !== UNTYPED_STORAGE) throw torchError(`The storage class ${className} is not known.`, { className });
  const itemBytes = dtype === undefined ? 1 : Math.max(1, DTYPES[dtype].bits / 8); // packed storages count bytes
  const byteLength = integer(count, "element count of a storage") * itemBytes;
  const request = { key: String(key), byteLength };
  if (!isKind(view, "tuple")) return { storage: builder.findStorage(request), dtype };
  const start = integer(view.items[1], "offset of a storage view") * itemBytes;
  const end = start + integer(view.items[2], "size of a storage view") * itemBytes;
  return { storage: builder.findStorage({ ...request, view: { start, end } }), dtype };
}

function integer(value: PickleValue | undefined, what: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw torchError(
    `The ${what} of a tensor is ${typeof value === "bigint" ? value : JSON.stringify(value)}, where an integer from 0 to 2^53 - 1 was expected.`,
  );
}

/** A tuple of integers, or the call torch.Size((...)). */
function integers(value: PickleValue | undefined, what: string): number[] {
  if (isKind(value, "tuple") || isKind(value, "list")) return value.items.map((item) => integer(item, what));
  if (isKind(value, "call")) return integers(value.args[0], what);
  throw torchError(`The ${what} of a tensor is not a tuple of integers.`);
}
