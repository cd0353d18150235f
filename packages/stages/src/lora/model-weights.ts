import type { TensorData } from "@ckptkit/core";
import type { ModelAdapter } from "@ckptkit/core/pipeline";
import { tensorsByNames } from "../modifying/choose-tensors.js";

/** A tensor of the model on its way to its merged values. */
interface Weight {
  names: string[];
  data: TensorData;
  changed: boolean;
}

/** A model's tensors while an adapter is merged into them. The model itself is changed at the end, by `changes`. */
export class ModelWeights {
  readonly #weights = new Map<string, Weight>();

  constructor(model: ModelAdapter) {
    for (const { names, data } of tensorsByNames(model)) {
      const weight = { names: [...names], data, changed: false };
      for (const name of names) this.#weights.set(name, weight);
    }
  }

  get(name: string): TensorData | undefined {
    return this.#weights.get(name)?.data;
  }

  /** Other names of the same tensor. */
  tiedTo(name: string): readonly string[] {
    return this.#weights.get(name)?.names.filter((other) => other !== name) ?? [];
  }

  /** Gives a tensor new values under all of its names, as an update in place does. */
  set(name: string, data: TensorData): void {
    const weight = this.#weights.get(name);
    if (weight) Object.assign(weight, { data, changed: true });
  }

  /** Gives a name a tensor of its own. */
  replace(name: string, data: TensorData): void {
    const weight = this.#weights.get(name);
    if (!weight) return;
    // Its old companions are told to the model as well, so that it does not take them along.
    Object.assign(weight, { names: weight.names.filter((other) => other !== name), changed: true });
    this.#weights.set(name, { names: [name], data, changed: true });
  }

  /** What is to be replaced in the model. */
  changes(): Map<string, TensorData> {
    return new Map([...this.#weights].filter(([, { changed }]) => changed).map(([name, { data }]) => [name, data]));
  }
}
