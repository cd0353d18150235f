/** What an optimizer's saved state tells of its class, which it does not name. */
export interface OptimizerTraits {
  /** Names of the values kept for each parameter, such as `exp_avg`. */
  stateNames: ReadonlySet<string>;
  /** Names of the options of its parameter groups. */
  options: ReadonlySet<string>;
  /** Whether weight decay is decoupled from the gradient, where the options say. */
  decoupled: boolean | undefined;
}

/**
 * Classes by the values they keep for each parameter, the most telling first.
 *
 * @see https://github.com/pytorch/pytorch/tree/main/torch/optim
 */
const BY_STATE: readonly (readonly [string[], string])[] = [
  [["exp_avg_sq_row"], "Adafactor"],
  [["row_var"], "Adafactor"],
  [["exp_avg", "exp_inf"], "Adamax"],
  [["mu_product"], "NAdam"],
  [["exp_avg", "exp_avg_sq"], "Adam"],
  [["state1", "state2"], "Adam (8-bit)"],
  [["acc_delta"], "Adadelta"],
  [["square_avg"], "RMSprop"],
  [["prev", "step_size"], "Rprop"],
  [["prev_grad"], "Rprop"],
  [["ax", "eta", "mu"], "ASGD"],
  [["sum"], "Adagrad"],
  [["momentum_buffer"], "SGD"],
  [["exp_avg"], "Lion"],
];

/** Classes by the options that only they have, for optimizers that have not made a step yet. */
const BY_OPTIONS: readonly (readonly [string[], string])[] = [
  [["nesterov", "dampening"], "SGD"],
  [["momentum_decay"], "NAdam"],
  [["amsgrad", "betas"], "Adam"],
  [["rho"], "Adadelta"],
  [["alpha", "centered"], "RMSprop"],
  [["lr_decay", "initial_accumulator_value"], "Adagrad"],
  [["etas", "step_sizes"], "Rprop"],
  [["lambd", "t0"], "ASGD"],
  [["max_iter", "history_size"], "LBFGS"],
];

/** The class that an optimizer's state looks like, of torch.optim where it has one; undefined when nothing tells. */
export function optimizerKind({ stateNames, options, decoupled }: OptimizerTraits): string | undefined {
  const has = (names: ReadonlySet<string>) => (row: readonly [string[], string]) => row[0].every((name) => names.has(name));
  const kind = BY_STATE.find(has(stateNames))?.[1] ?? BY_OPTIONS.find(has(options))?.[1];
  return kind === "Adam" && decoupled ? "AdamW" : kind;
}

/** Learning-rate schedulers by the attributes that only they keep. @see torch/optim/lr_scheduler.py */
const SCHEDULERS: readonly (readonly [string[], string])[] = [
  [["_schedulers", "_milestones"], "SequentialLR"],
  [["_schedulers"], "ChainedScheduler"],
  [["T_0"], "CosineAnnealingWarmRestarts"],
  [["T_max"], "CosineAnnealingLR"],
  [["patience", "threshold_mode"], "ReduceLROnPlateau"],
  [["total_steps", "anneal_strategy"], "OneCycleLR"],
  [["total_steps", "_schedule_phases"], "OneCycleLR"],
  [["total_size", "step_ratio"], "CyclicLR"],
  [["step_size", "gamma"], "StepLR"],
  [["milestones", "gamma"], "MultiStepLR"],
  [["start_factor", "end_factor"], "LinearLR"],
  [["total_iters", "power"], "PolynomialLR"],
  [["total_iters", "factor"], "ConstantLR"],
  [["lr_lambdas"], "LambdaLR"],
  [["gamma"], "ExponentialLR"],
];

/** The class that a scheduler's state looks like; undefined when nothing tells. */
export function schedulerKind(attributes: ReadonlySet<string>): string | undefined {
  return SCHEDULERS.find(([names]) => names.every((name) => attributes.has(name)))?.[1];
}
