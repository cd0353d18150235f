import type { Checkpoint, Kernels, SignalOptions, TensorData } from "@ckptkit/core";
import { CheckpointConfigError } from "@ckptkit/core";
import type { LoadedKeys, ModelAdapter, ModelModule, ModelParameter } from "@ckptkit/core/pipeline";
import { castTensor } from "../tensors/cast.js";
import { zerosTensor } from "../tensors/zeros.js";
import { compareStateDicts, sameShape } from "./compare.js";
import { incompatibleError } from "./incompatible.js";
import { entriesOf, type ModelEntry } from "./model-entries.js";

/** What a {@link ReferenceModel} takes besides its entries. */
export interface ReferenceModelOptions {
  /** Paths of modules without parameters of their own, such as activations. Those of the entries are known. */
  modules?: readonly string[] | undefined;
  /** Kernels that convert loaded values to the model's dtypes. Plain JavaScript when left out. */
  kernels?: Pick<Kernels, "cast"> | undefined;
}

/** One tensor of the model, under one name or, when tied, under several. */
interface Slot {
  data: TensorData;
  readonly isBuffer: boolean;
  requiresGrad: boolean;
}

/**
 * A model without a framework: names, dtypes, shapes and ties, and values that are read from where they come when somebody
 * reads them. Loading a checkpoint of any size into it takes no memory.
 *
 * @example
 * const model = ReferenceModel.like(checkpoint);
 * await model.loadStateDict(weights, { strict: true });
 * model.setRequiresGrad("encoder", false);
 */
export class ReferenceModel implements ModelAdapter {
  weightsInitialized = false;
  readonly #slots = new Map<string, Slot>();
  readonly #modules: Set<string>;
  readonly #kernels: Pick<Kernels, "cast"> | undefined;

  private constructor(entries: readonly ModelEntry[], { modules = [], kernels }: ReferenceModelOptions) {
    this.#kernels = kernels;
    this.#modules = new Set(modules.flatMap(pathAndAbove));
    for (const entry of entries) this.#slots.set(entry.name, this.#slotFor(entry));
    for (const name of this.#slots.keys()) for (const path of pathsAbove(name)) this.#modules.add(path);
  }

  /**
   * A model of named parameters and buffers, all of whose values are 0.
   *
   * @throws {CheckpointConfigError} INVALID_ARGUMENT for a name that is given twice, or a tie to something else
   * @example ReferenceModel.of([{ name: "fc.weight", dtype: "F32", shape: [10, 20] }]);
   */
  static of(entries: readonly ModelEntry[], options: ReferenceModelOptions = {}): ReferenceModel {
    return new ReferenceModel(entries, options);
  }

  /**
   * A model with the names, dtypes, shapes and ties of a checkpoint's state dict, all of whose values are 0. Reads nothing.
   *
   * @throws {CheckpointValidationError} NO_STATE_DICT, NAME_CONFLICT
   */
  static like(checkpoint: Checkpoint, options: ReferenceModelOptions = {}): ReferenceModel {
    return new ReferenceModel(entriesOf(checkpoint), options);
  }

  stateDict(): ReadonlyMap<string, TensorData> {
    return new Map([...this.#slots].map(([name, { data }]) => [name, data]));
  }

  async loadStateDict(values: ReadonlyMap<string, TensorData>, options: SignalOptions & { strict: boolean }): Promise<LoadedKeys> {
    options.signal?.throwIfAborted();
    return this.loadStateDictSync(values, options);
  }

  /**
   * Takes the values of a state dict, which are read when somebody reads the model's. They are converted to the model's dtypes.
   *
   * @throws {CheckpointIncompatibleError} INCOMPATIBLE, see {@link ModelAdapter.loadStateDict}
   */
  loadStateDictSync(values: ReadonlyMap<string, TensorData>, { strict }: { strict: boolean }): LoadedKeys {
    const differences = compareStateDicts(this.stateDict(), values);
    const { missingKeys, unexpectedKeys, shapeMismatches, dtypeMismatches } = differences;
    const unfit = shapeMismatches.length > 0 || dtypeMismatches.length > 0;
    if (unfit || (strict && (missingKeys.length > 0 || unexpectedKeys.length > 0))) {
      throw incompatibleError(strict ? differences : { shapeMismatches, dtypeMismatches }, [
        "Load what fits with the loader transfer_learning.",
        "Bring the names in line with the model's by migrations.",
      ]);
    }
    for (const [name, value] of values) {
      const slot = this.#slots.get(name);
      if (slot) slot.data = reshaped(castTensor(value, slot.data.dtype, this.#kernels) ?? value, slot.data.shape);
    }
    return { missingKeys, unexpectedKeys };
  }

  /** Tied names stay tied when one of them is replaced, or all of those that are replaced get one and the same tensor. */
  replaceTensors(values: ReadonlyMap<string, TensorData | null>): void {
    // The first value given for a slot becomes its own; every other one takes its names into a slot of their own.
    const slotsOf = new Map<Slot, Map<TensorData, Slot>>();
    for (const [name, value] of values) {
      const slot = this.#slots.get(name);
      if (value === null) this.#slots.delete(name);
      else if (slot) {
        const taken = slotsOf.get(slot) ?? new Map<TensorData, Slot>();
        const target = taken.get(value) ?? (taken.size === 0 ? slot : { ...slot });
        slotsOf.set(slot, taken.set(value, target));
        this.#slots.set(name, target);
      } else {
        this.#slots.set(name, { data: value, isBuffer: false, requiresGrad: true });
        for (const path of pathsAbove(name)) this.#modules.add(path);
      }
    }
    for (const taken of slotsOf.values()) for (const [value, slot] of taken) slot.data = value;
  }

  namedParameters(): readonly ModelParameter[] {
    return this.#parametersUnder("");
  }

  submodule(path: string): ModelModule | undefined {
    return path === "" || this.#modules.has(path) ? { path, parameters: () => this.#parametersUnder(path) } : undefined;
  }

  setRequiresGrad(path: string, requiresGrad: boolean): number {
    let changed = 0;
    for (const [, slot] of this.#parameterSlots(path)) {
      if (slot.requiresGrad !== requiresGrad) changed++;
      slot.requiresGrad = requiresGrad;
    }
    return changed;
  }

  ties(): readonly (readonly string[])[] {
    const names = new Map<Slot, string[]>();
    for (const [name, slot] of this.#slots) {
      const group = names.get(slot);
      if (group) group.push(name);
      else names.set(slot, [name]);
    }
    return [...names.values()].filter((group) => group.length > 1);
  }

  /** The model in one line. */
  toString(): string {
    return `ReferenceModel(${this.#slots.size} tensors${this.weightsInitialized ? "" : ", not loaded"})`;
  }

  #slotFor(entry: ModelEntry): Slot {
    const { name, dtype, shape, kind = "parameter", tiedTo } = entry;
    if (this.#slots.has(name)) throw badEntry(name, "is given twice");
    const isBuffer = kind === "buffer";
    if (tiedTo === undefined) {
      return { data: zerosTensor(dtype, shape, entry.byteLength), isBuffer, requiresGrad: !isBuffer && (entry.requiresGrad ?? true) };
    }
    const slot = this.#slots.get(tiedTo);
    if (!slot) throw badEntry(name, `is tied to ${JSON.stringify(tiedTo)}, which is not given before it`);
    if (slot.data.dtype !== dtype || !sameShape(slot.data.shape, shape)) {
      throw badEntry(name, `is tied to ${JSON.stringify(tiedTo)}, which has another dtype or shape`);
    }
    return slot;
  }

  #parametersUnder(path: string): ModelParameter[] {
    return [...this.#parameterSlots(path)].map(([name, { data, requiresGrad }]) => {
      const { dtype, shape } = data;
      return { name, dtype, shape, requiresGrad };
    });
  }

  /** Tied parameters once, under the first of their names there. */
  *#parameterSlots(path: string): Generator<[string, Slot]> {
    const seen = new Set<Slot>();
    for (const [name, slot] of this.#slots) {
      if (slot.isBuffer || seen.has(slot) || !(path === "" || name.startsWith(`${path}.`))) continue;
      seen.add(slot);
      yield [name, slot];
    }
  }
}

/** `a.b.weight` -> `a.b`, `a`. */
function pathsAbove(name: string): string[] {
  const paths: string[] = [];
  for (let dot = name.lastIndexOf("."); dot > 0; dot = name.lastIndexOf(".", dot - 1)) paths.push(name.slice(0, dot));
  return paths;
}

const pathAndAbove = (path: string): string[] => [path, ...pathsAbove(path)];

/** The tensor with the model's shape, where the checkpoint's only looks different. */
function reshaped(tensor: TensorData, shape: readonly number[]): TensorData {
  if (sameShape(tensor.shape, shape)) return tensor;
  const { dtype, byteLength } = tensor;
  return { dtype, shape, byteLength, readInto: (target, start, options) => tensor.readInto(target, start, options) };
}

function badEntry(name: string, why: string): CheckpointConfigError {
  return new CheckpointConfigError("INVALID_ARGUMENT", `The model's tensor ${JSON.stringify(name)} ${why}.`, { details: { name } });
}
