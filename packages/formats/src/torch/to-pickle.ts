import {
  CheckpointValidationError,
  DTYPES,
  type Finding,
  isDType,
  isNode,
  type OutputTensor,
  realNumber,
  type TensorSpec,
  type Tree,
} from "@ckptkit/core";
import type { PickleCall, PickleGlobal, PickleValue } from "@ckptkit/pickle";
import { keyText } from "../key-text.js";
import { storageClassOf, torchNameOf, UNTYPED_STORAGE } from "./dtypes.js";

/** Gives the bytes to write for a tensor of a tree. The same view gives outputs of the same `tieKey`. */
export type ResolveTensor = (spec: TensorSpec, name: string) => OutputTensor;

/** Collections that `torch.load(weights_only=True)` builds; what is not here becomes the nearest built-in. */
const MAPPINGS = new Set(["collections.OrderedDict", "collections.Counter"]);
/** Globals that stand for themselves there. @see torch/_weights_only_unpickler.py, _get_allowed_globals */
const CONSTANT = /^torch\.(?:[a-z]+\d*|float8_\w+|float4_\w+|q?u?int\d\w*|per_(?:tensor|channel)_affine(?:_float_qparams)?)$/;

const global = (dotted: string): PickleGlobal => {
  const cut = dotted.lastIndexOf(".");
  return { kind: "global", module: dotted.slice(0, cut), name: dotted.slice(cut + 1) };
};
const tuple = (...items: PickleValue[]): PickleValue => ({ kind: "tuple", items });
const call = (dotted: string, ...args: PickleValue[]): PickleCall => ({ kind: "call", via: "REDUCE", callable: global(dotted), args });

/**
 * Turns a tree into a pickle that holds nothing which torch's restricted loader refuses. Objects of other classes are left
 * out, each with a finding.
 */
export class PickleBuilder {
  /** Storages to write, by key, in the order of their first mention. */
  readonly storages: OutputTensor[] = [];
  readonly findings: Finding[] = [];
  readonly #resolve: ResolveTensor;
  readonly #keys = new Map<string, number>();
  readonly #tensors = new Map<string, PickleValue>();
  readonly #built = new Map<object, PickleValue>();
  readonly #path: string[] = [];

  constructor(resolve: ResolveTensor) {
    this.#resolve = resolve;
  }

  /** The pickle value of a tree; undefined when it cannot be represented. */
  build(tree: Tree): PickleValue | undefined {
    if (!isNode(tree) || tree.kind === "real") return tree;
    const built = this.#built.get(tree);
    if (built !== undefined) return built;
    const value = this.#node(tree);
    if (value !== undefined) this.#built.set(tree, value);
    return value;
  }

  #node(tree: Exclude<Tree, null | boolean | number | bigint | string | Uint8Array | { kind: "real" }>): PickleValue | undefined {
    switch (tree.kind) {
      case "tensor":
        return this.#tensor(tree.tensor);
      case "global":
        return CONSTANT.test(tree.name) ? global(tree.name) : this.#drop(`the name ${tree.name}`);
      case "map":
        return this.#map(tree);
      case "list":
        return this.#list(tree);
      case "object": {
        if (tree.type === "torch.device" || tree.type === "builtins.complex")
          return call(tree.type, ...(tree.args ?? []).map((arg) => this.build(arg) ?? null));
        return this.#drop(`an object of class ${tree.type}`);
      }
    }
  }

  #map(tree: Extract<Tree, { kind: "map" }>): PickleValue {
    const entries: [PickleValue, PickleValue][] = [];
    const made: PickleCall | undefined = MAPPINGS.has(tree.type) ? { ...call(tree.type), entries } : undefined;
    const node: PickleValue = made ?? { kind: "dict", entries };
    this.#built.set(tree, node); // before the members, which may refer back
    for (const [key, entry] of tree.entries) {
      const pickledKey = this.build(key);
      this.#path.push(keyText(key));
      const value = this.build(entry);
      this.#path.pop();
      if (pickledKey !== undefined && value !== undefined) entries.push([pickledKey, value]);
    }
    const state = made && tree.attributes && this.build(tree.attributes);
    if (made && state !== undefined) made.states = [state];
    return node;
  }

  #list(tree: Extract<Tree, { kind: "list" }>): PickleValue {
    const items: PickleValue[] = [];
    const isTuple = tree.type === "tuple" || tree.type === "torch.Size";
    const isSet = tree.type === "set" || tree.type === "frozenset";
    const node: PickleValue = isTuple ? { kind: "tuple", items } : isSet ? { kind: "set", items } : { kind: "list", items };
    if (!isTuple) this.#built.set(tree, node);
    for (const [index, item] of tree.items.entries()) {
      this.#path.push(String(index));
      items.push(this.build(item) ?? null); // keeps the places of the others
      this.#path.pop();
    }
    return tree.type === "torch.Size" ? call("torch.Size", node) : node;
  }

  #tensor(spec: TensorSpec): PickleValue | undefined {
    const output = this.#resolve(spec, this.#path.join("."));
    const known = this.#tensors.get(output.tieKey);
    if (known !== undefined) return known;
    if (!isDType(output.dtype)) return this.#drop(`a tensor of type ${output.dtype}`);
    const value = output.dtype === "F4" ? this.#rebuild(spec, inPairs(output), "F4_X2") : this.#rebuild(spec, output, output.dtype);
    if (value !== undefined) this.#tensors.set(output.tieKey, value);
    return value;
  }

  #rebuild(spec: TensorSpec, output: OutputTensor, dtype: keyof typeof DTYPES): PickleValue | undefined {
    const itemBytes = DTYPES[dtype].bits / 8;
    const storageClass = storageClassOf(dtype);
    const torchName = torchNameOf(dtype);
    if (torchName === undefined || itemBytes < 1) throw noTorchDType(output);
    const key = this.#storageKey(output);
    const id = tuple(
      "storage",
      global(storageClass === undefined ? UNTYPED_STORAGE : `torch.${storageClass}`),
      key,
      "cpu",
      storageClass === undefined ? output.byteLength : output.byteLength / itemBytes,
    );
    const size = tuple(...output.shape);
    const stride = tuple(...strides(output.shape));
    const persistent: PickleValue = { kind: "persistent", id };
    const hooks = call("collections.OrderedDict");
    if (spec.quantization && dtype.startsWith("Q")) {
      const parameters = this.#quantizer(spec.quantization);
      return parameters && call("torch._utils._rebuild_qtensor", persistent, 0, size, stride, parameters, false, hooks);
    }
    if (storageClass !== undefined) return call("torch._utils._rebuild_tensor_v2", persistent, 0, size, stride, false, hooks);
    return call("torch._utils._rebuild_tensor_v3", persistent, 0, size, stride, false, hooks, global(`torch.${torchName}`));
  }

  #quantizer(quantization: NonNullable<TensorSpec["quantization"]>): PickleValue | undefined {
    if (quantization.scheme === "per_tensor_affine") {
      return tuple(global("torch.per_tensor_affine"), realNumber(quantization.scale), quantization.zeroPoint);
    }
    const scales = this.#tensor(quantization.scales);
    const zeroPoints = this.#tensor(quantization.zeroPoints);
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

  #drop(what: string): undefined {
    const at = this.#path.join(".");
    this.findings.push({
      rule: "not-converted",
      severity: "warning",
      message: `${what} is left out: torch.load(weights_only=True) would refuse it.`,
      at,
    });
    return undefined;
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
    `torch has no dtype for the tensor ${JSON.stringify(name)} (${dtype}, shape [${shape.join(", ")}]).`,
    {
      details: { name, dtype, shape },
      suggestions: ["Write safetensors (--to safetensors), which keeps this dtype.", "Leave the tensor out with --filter."],
    },
  );
}

/** The error for a root that no restricted loader would build. */
export function torchValueError(): CheckpointValidationError {
  return new CheckpointValidationError(
    "UNSUPPORTED_DTYPE",
    "The checkpoint's root is an object that torch.load(weights_only=True) would refuse, so it cannot be written.",
    {
      suggestions: ["Write only the model's weights, without --all."],
    },
  );
}

/** torch's strides of a contiguous tensor: a size of 0 counts as 1. */
function strides(shape: readonly number[]): number[] {
  let step = 1;
  const result: number[] = [];
  for (const size of [...shape].reverse()) {
    result.unshift(step);
    step *= Math.max(1, size);
  }
  return result;
}
