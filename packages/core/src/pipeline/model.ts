import type { OperationOptions } from "../progress.js";
import type { TensorData } from "../tensor-data.js";
import type { Tree } from "../tree.js";

/** One parameter or buffer of a model. */
export interface ModelParameter {
  /** Full dotted name, as in the state dict. */
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Whether it is trained. Buffers never are. */
  readonly requiresGrad: boolean;
}

/** A part of a model, by its dotted path. */
export interface ModelModule {
  /** Dotted path; '' is the model itself. */
  readonly path: string;
  /** The parameters of the whole subtree. */
  parameters(): readonly ModelParameter[];
}

/** What `loadStateDict` could not match. */
export interface LoadedKeys {
  /** In the model, not in the state dict. */
  readonly missingKeys: readonly string[];
  /** In the state dict, not in the model. */
  readonly unexpectedKeys: readonly string[];
}

/**
 * What a loading strategy loads into: the model of some framework, seen as named tensors. Values are taken as
 * {@link TensorData}, so that an adapter may read them when, and only if, it needs them.
 */
export interface ModelAdapter {
  /** Every parameter and buffer by its full name, in the model's order. */
  stateDict(): ReadonlyMap<string, TensorData>;
  /**
   * Takes the values of a state dict.
   *
   * @throws {CheckpointIncompatibleError} INCOMPATIBLE when a shape does not fit, or, if strict, when a key is missing or unexpected.
   * Nothing is changed then.
   */
  loadStateDict(values: ReadonlyMap<string, TensorData>, options: OperationOptions & { strict: boolean }): Promise<LoadedKeys>;
  /** The same without waiting, for adapters that read values when they need them. Pipelines that run synchronously ask for it. */
  loadStateDictSync?(values: ReadonlyMap<string, TensorData>, options: { strict: boolean }): LoadedKeys;
  /**
   * Replaces, adds or (null) removes tensors of the state dict, dtypes and shapes included: what modifiers do. A replaced
   * parameter keeps whether it is trained.
   */
  replaceTensors(values: ReadonlyMap<string, TensorData | null>): void;
  /** Every parameter, buffers left out. */
  namedParameters(): readonly ModelParameter[];
  /** The module at a full dotted path; undefined when there is none. A last name alone does not find a nested module. */
  submodule(path: string): ModelModule | undefined;
  /** Freezes or thaws a whole subtree. Gives the number of parameters whose state changed. */
  setRequiresGrad(path: string, requiresGrad: boolean): number;
  /** Groups of names that share one tensor. */
  ties(): readonly (readonly string[])[];
  /** Whether weights have been loaded since the model was made. */
  weightsInitialized: boolean;
}

/** An optimizer or scheduler: something with a state of its own. */
export interface Stateful {
  stateDict(): Tree;
  /** @throws {CheckpointIncompatibleError} INCOMPATIBLE when the state does not fit. */
  loadStateDict(state: Tree): void;
}
