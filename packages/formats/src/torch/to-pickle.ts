import { CheckpointValidationError, type Finding, isNode, type ListNode, type MapNode, type Tree } from "@ckptkit/core";
import type { PickleCall, PickleValue } from "@ckptkit/pickle";
import { keyText } from "../key-text.js";
import { dtypeOfGlobal, torchNameOf } from "./dtypes.js";
import { call, global } from "./pickle-parts.js";
import { type ResolveTensor, TensorPickler } from "./tensor-to-pickle.js";

/** Collections that `torch.load(weights_only=True)` builds; what is not here becomes the nearest built-in. */
const MAPPINGS = new Set(["collections.OrderedDict", "collections.Counter"]);

/** Quantisation schemes that it knows. @see torch/_weights_only_unpickler.py, _get_allowed_globals */
const SCHEME = /^torch\.per_(?:tensor|channel)_(?:affine|symmetric)$|^torch\.per_channel_affine_float_qparams$/;

/** Whether a global stands for itself there: a scheme, or a dtype under the name that torch gives it (not torch.float). */
function isConstant(name: string): boolean {
  const dtype = dtypeOfGlobal(name);
  return SCHEME.test(name) || (dtype !== undefined && name === `torch.${torchNameOf(dtype)}`);
}

/**
 * Turns a tree into a pickle that holds nothing which torch's restricted loader refuses. Objects of other classes are left
 * out, each with a finding.
 */
export class PickleBuilder {
  readonly findings: Finding[] = [];
  readonly #tensors: TensorPickler;
  readonly #built = new Map<object, PickleValue>();
  readonly #building = new Set<object>();
  readonly #path: string[] = [];

  constructor(resolve: ResolveTensor) {
    this.#tensors = new TensorPickler(resolve);
  }

  /** Storages to write, by key, in the order of their first mention. */
  get storages(): TensorPickler["storages"] {
    return this.#tensors.storages;
  }

  /** The pickle value of a tree; undefined when it cannot be represented. */
  build(tree: Tree): PickleValue | undefined {
    if (!isNode(tree) || tree.kind === "real") return tree;
    const built = this.#built.get(tree);
    if (built !== undefined) return built;
    if (this.#building.has(tree)) return this.#drop("a tuple that holds itself");
    this.#building.add(tree);
    const value = this.#node(tree);
    this.#building.delete(tree);
    if (value !== undefined) this.#built.set(tree, value);
    return value;
  }

  #node(tree: Exclude<Tree, null | boolean | number | bigint | string | Uint8Array | { kind: "real" }>): PickleValue | undefined {
    switch (tree.kind) {
      case "tensor":
        return this.#tensors.pickle(tree.tensor, this.#path.join(".")) ?? this.#drop(`a tensor of type ${tree.tensor.dtype}`);
      case "global":
        return isConstant(tree.name) ? global(tree.name) : this.#drop(`the name ${tree.name}`);
      case "map":
        return this.#map(tree);
      case "list":
        return this.#list(tree);
      case "object":
        if (tree.type === "torch.device" || tree.type === "builtins.complex") {
          return call(tree.type, ...(tree.args ?? []).map((arg) => this.build(arg) ?? null));
        }
        return this.#drop(`an object of class ${tree.type}`);
    }
  }

  #map(tree: MapNode): PickleValue {
    const keysAndValues: PickleValue[] = [];
    const made: PickleCall | undefined = MAPPINGS.has(tree.type) ? { ...call(tree.type), keysAndValues } : undefined;
    const node: PickleValue = made ?? { kind: "dict", keysAndValues };
    this.#built.set(tree, node); // before the members, which may refer back
    for (const [key, entry] of tree.entries) {
      this.#path.push(keyText(key));
      const pickledKey = isHashable(key) ? this.build(key) : this.#drop("a key that would be no key any more");
      const value = pickledKey === undefined ? undefined : this.build(entry);
      this.#path.pop();
      if (pickledKey !== undefined && value !== undefined) keysAndValues.push(pickledKey, value);
    }
    const state = made && tree.attributes && this.build(tree.attributes);
    if (made && state !== undefined) made.states = [state];
    return node;
  }

  #list(tree: ListNode): PickleValue {
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

  #drop(what: string): undefined {
    this.findings.push({
      rule: "not-converted",
      severity: "warning",
      message: `${what} is left out: torch.load(weights_only=True) would refuse it.`,
      at: this.#path.join("."),
    });
    return undefined;
  }
}

/** Whether a key will still be one when it is loaded: a frozenset becomes a set, which cannot be. */
function isHashable(key: Tree, seen = new Set<Tree>()): boolean {
  if (!isNode(key) || seen.has(key)) return true;
  seen.add(key);
  if (key.kind !== "list") return key.kind !== "map";
  return (key.type === "tuple" || key.type === "torch.Size") && key.items.every((item) => isHashable(item, seen));
}

/** The error for a root that no restricted loader would build. */
export function torchValueError(): CheckpointValidationError {
  return new CheckpointValidationError(
    "UNSUPPORTED_DTYPE",
    "The checkpoint's root is an object that torch.load(weights_only=True) would refuse, so it cannot be written.",
    { suggestions: ["Write only the model's weights, without --all."] },
  );
}
