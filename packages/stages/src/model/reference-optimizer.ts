import {
  CheckpointConfigError,
  CheckpointIncompatibleError,
  getEntry,
  isNode,
  type ListNode,
  type MapNode,
  type Tree,
} from "@ckptkit/core";
import type { ModelAdapter, Stateful } from "@ckptkit/core/pipeline";

/** What {@link ReferenceOptimizer} takes. */
export interface ReferenceOptimizerOptions {
  /** The parameters of each group, by name. One group of all the model's parameters when left out. */
  groups?: readonly (readonly string[])[] | undefined;
}

/**
 * State of torch's optimizers that has one number for every element of its parameter, and so its shape.
 *
 * @see torch/optim: adam.py, sgd.py, rmsprop.py, adadelta.py, adagrad.py, adamax.py, rprop.py
 */
const ELEMENTWISE = new Set([
  ...["exp_avg", "exp_avg_sq", "max_exp_avg_sq", "momentum_buffer", "square_avg", "grad_avg"],
  ...["acc_delta", "sum", "exp_inf", "prev", "step_size"],
]);

/**
 * The state of an optimizer over a model's parameters, as torch's `Optimizer.state_dict()` gives it: `state` by the number of the
 * parameter, and `param_groups`. Tensors in it are read by who needs them.
 *
 * @example
 * const optimizer = new ReferenceOptimizer(model);
 * optimizer.loadStateDict(state);
 * optimizer.stateOf("fc.weight"); // exp_avg, exp_avg_sq, step
 */
export class ReferenceOptimizer implements Stateful {
  readonly #groups: readonly (readonly Parameter[])[];
  #state: Tree;

  /** @throws {CheckpointConfigError} INVALID_ARGUMENT for a group with a name that is no parameter of the model */
  constructor(model: ModelAdapter, { groups }: ReferenceOptimizerOptions = {}) {
    const parameters = new Map<string, Parameter>(model.namedParameters().map((parameter) => [parameter.name, parameter]));
    this.#groups = groups
      ? groups.map((names) => names.map((name) => parameters.get(name) ?? unknownParameter(name)))
      : [[...parameters.values()]];
    this.#state = this.#initialState();
  }

  /** Number of parameter groups. */
  get groupCount(): number {
    return this.#groups.length;
  }

  stateDict(): Tree {
    return this.#state;
  }

  /** The state of one parameter, such as its moments; undefined when it has none. */
  stateOf(name: string): Tree | undefined {
    const saved = itemsOf(getEntry(this.#state, "param_groups")) ?? [];
    for (const [group, parameters] of this.#groups.entries()) {
      const at = parameters.findIndex((parameter) => parameter.name === name);
      if (at < 0) continue;
      const number = itemsOf(getEntry(saved[group], "params"))?.[at];
      return entriesOf(getEntry(this.#state, "state"))?.find(([key]) => key === number)?.[1];
    }
    return undefined;
  }

  /**
   * Takes a state dict as it is, if its groups have as many parameters as this optimizer's, and its moments their shapes.
   *
   * @throws {CheckpointIncompatibleError} INCOMPATIBLE with every problem; nothing is changed then
   * @see torch/optim/optimizer.py, Optimizer.load_state_dict
   */
  loadStateDict(state: Tree): void {
    const problems = this.#problemsOf(state);
    if (problems.length > 0) throw stateError("optimizer", problems);
    this.#state = state;
  }

  #problemsOf(state: Tree): string[] {
    const saved = itemsOf(getEntry(state, "param_groups"));
    const entries = entriesOf(getEntry(state, "state"));
    if (!saved || !entries) return ['it is not a map with "state" and "param_groups"'];
    if (saved.length !== this.#groups.length) {
      return [`it has ${saved.length} parameter groups, the optimizer has ${this.#groups.length}`];
    }
    const problems: string[] = [];
    const byNumber = new Map<Tree, Parameter>();
    for (const [index, parameters] of this.#groups.entries()) {
      const numbers = itemsOf(getEntry(saved[index], "params"));
      if (numbers?.length !== parameters.length) {
        problems.push(`its parameter group ${index} has ${numbers?.length ?? "no"} parameters, the optimizer's has ${parameters.length}`);
        continue;
      }
      for (const [at, parameter] of parameters.entries()) byNumber.set(numbers[at] ?? null, parameter);
    }
    if (problems.length > 0) return problems;
    for (const [number, values] of entries) {
      const parameter = byNumber.get(number);
      if (parameter) problems.push(...shapeProblems(parameter, values));
      else problems.push(`its state has an entry ${String(number)} that is in no parameter group`);
    }
    return problems;
  }

  #initialState(): Tree {
    let number = 0;
    const groups = this.#groups.map((parameters) => map([["params", list(parameters.map(() => number++))]]));
    return map([
      ["state", map([])],
      ["param_groups", list(groups)],
    ]);
  }
}

function unknownParameter(name: string): never {
  throw new CheckpointConfigError(
    "INVALID_ARGUMENT",
    `The optimizer was given ${JSON.stringify(name)}, which is no parameter of the model.`,
    {
      details: { name },
    },
  );
}

interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
}

function shapeProblems({ name, shape }: Parameter, values: Tree): string[] {
  return (entriesOf(values) ?? []).flatMap(([key, value]) => {
    if (typeof key !== "string" || !ELEMENTWISE.has(key) || !isNode(value) || value.kind !== "tensor") return [];
    const found = value.tensor.shape;
    const fits = found.length === shape.length && found.every((size, axis) => size === shape[axis]);
    return fits ? [] : [`the ${key} of ${name} has the shape [${found.join(", ")}], the parameter [${shape.join(", ")}]`];
  });
}

/**
 * The state of a learning rate scheduler, as torch's `LRScheduler.state_dict()` gives it.
 *
 * @example const scheduler = new ReferenceScheduler(optimizer);
 */
export class ReferenceScheduler implements Stateful {
  readonly #optimizer: Pick<ReferenceOptimizer, "groupCount"> | undefined;
  #state: Tree = map([]);

  constructor(optimizer?: Pick<ReferenceOptimizer, "groupCount">) {
    this.#optimizer = optimizer;
  }

  stateDict(): Tree {
    return this.#state;
  }

  /**
   * Takes a state dict as it is, if it has a learning rate for each parameter group of the optimizer.
   *
   * @throws {CheckpointIncompatibleError} INCOMPATIBLE; nothing is changed then
   */
  loadStateDict(state: Tree): void {
    if (!entriesOf(state)) throw stateError("scheduler", ["it is not a map"]);
    const groups = this.#optimizer?.groupCount;
    const problems = ["base_lrs", "_last_lr"].flatMap((key) => {
      const rates = itemsOf(getEntry(state, key));
      if (groups === undefined || !rates || rates.length === groups) return [];
      return [`its ${key} has ${rates.length} learning rates, the optimizer has ${groups} parameter groups`];
    });
    if (problems.length > 0) throw stateError("scheduler", problems);
    this.#state = state;
  }
}

const map = (entries: [Tree, Tree][]): MapNode => ({ kind: "map", type: "dict", entries });
const list = (items: Tree[]): ListNode => ({ kind: "list", type: "list", items });

function itemsOf(tree: Tree | undefined): readonly Tree[] | undefined {
  return isNode(tree) && tree.kind === "list" ? tree.items : undefined;
}

function entriesOf(tree: Tree | undefined): readonly (readonly [Tree, Tree])[] | undefined {
  return isNode(tree) && tree.kind === "map" ? tree.entries : undefined;
}

function stateError(what: string, problems: readonly string[]): CheckpointIncompatibleError {
  const shown = problems.slice(0, 5).join("; ");
  const more = problems.length > 5 ? `; and ${problems.length - 5} more` : "";
  return new CheckpointIncompatibleError("INCOMPATIBLE", `The state of the ${what} does not fit: ${shown}${more}.`, {
    details: { missingKeys: [], unexpectedKeys: [], shapeMismatches: [], problems },
    suggestions: ["Load the weights alone, with the loader weights_only."],
  });
}
