import type { Checkpoint, Json } from "@ckptkit/core";
import { schedulerKind } from "./optimizer-kind.js";
import { type OptimizerSummary, optimizersOf } from "./optimizers.js";

/** A learning-rate scheduler's saved state. */
export interface SchedulerSummary {
  path: string;
  /** The class that its state looks like; the file does not name it. */
  looksLike?: string;
  state: Json;
}

/** Where a training stood when it was saved. */
export interface TrainingState {
  epoch?: number;
  globalStep?: number;
  optimizers: OptimizerSummary[];
  schedulers: SchedulerSummary[];
  /** Lightning's callbacks and what each saved. */
  callbacks: { name: string; state: Json }[];
  /** Names of Lightning's loops, such as `fit_loop`; their counters stand in the metadata. */
  loops: string[];
}

const EPOCH_KEYS = ["epoch", "current_epoch", "epochs"];
const STEP_KEYS = ["global_step", "step", "iteration", "iter", "num_updates", "global_iteration", "iter_num", "niter"];
const SCHEDULER_KEYS = ["lr_schedulers", "scheduler_state_dict", "lr_scheduler_state_dict", "lr_scheduler", "scheduler"];

const isObject = (value: Json | undefined): value is { readonly [key: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The training state of a checkpoint, as plain JSON. Reads nothing. */
export function trainingStateOf(checkpoint: Checkpoint): TrainingState {
  const { metadata } = checkpoint;
  const epoch = firstNumber(metadata, EPOCH_KEYS);
  const globalStep = firstNumber(metadata, STEP_KEYS);
  const { callbacks, loops } = metadata;
  return {
    ...(epoch !== undefined && { epoch }),
    ...(globalStep !== undefined && { globalStep }),
    optimizers: optimizersOf(checkpoint),
    schedulers: schedulersOf(metadata),
    callbacks: isObject(callbacks) ? Object.entries(callbacks).map(([name, state]) => ({ name, state })) : [],
    loops: isObject(loops) ? Object.keys(loops) : [],
  };
}

function firstNumber(metadata: Checkpoint["metadata"], keys: readonly string[]): number | undefined {
  for (const key of keys) {
    const value = Object.hasOwn(metadata, key) ? metadata[key] : undefined;
    if (typeof value === "number") return value;
    // Trainers save counts as text in safetensors' metadata.
    if (typeof value === "string" && /^\d{1,15}$/.test(value)) return Number(value);
  }
  return undefined;
}

function schedulersOf(metadata: Checkpoint["metadata"]): SchedulerSummary[] {
  const found: SchedulerSummary[] = [];
  for (const key of SCHEDULER_KEYS) {
    const value = Object.hasOwn(metadata, key) ? metadata[key] : undefined;
    if (Array.isArray(value)) for (const [index, item] of value.entries()) add(`${key}.${index}`, item);
    else add(key, value);
  }
  return found;

  function add(path: string, state: Json | undefined): void {
    if (!isObject(state) || Object.keys(state).length === 0) return;
    const looksLike = schedulerKind(new Set(Object.keys(state)));
    found.push({ path, ...(looksLike !== undefined && { looksLike }), state });
  }
}
