import { type Checkpoint, CheckpointError, getEntry, isNode, type Tree } from "@ckptkit/core";
import { CheckpointCheck, type CheckpointContext } from "@ckptkit/core/pipeline";
import { extractStateDict } from "@ckptkit/formats";
import { globMatcher } from "@ckptkit/inspect";
import * as z from "zod";
import { checkFailed, recordCheck } from "../inspecting/check-result.js";
import { parseOptions } from "../options.js";

const options = z.strictObject({
  from: z
    .string()
    .optional()
    .describe("Name of the checkpoint to check, as a source gave it (as); the pipeline's checkpoint when left out"),
  require: z.array(z.string()).default([]).describe("Globs of which each must match a tensor's path or name, or a top-level key"),
});

/**
 * Checks that a checkpoint is what it should be: not empty, with a state dict, every tensor with its bytes, counters and lists of
 * the right kinds, and without findings of errors. Tells all problems at once. Reads no weights.
 *
 * @example await new ValidateCheck({ require: ["hyper_parameters", "encoder.*"] }).process(context);
 */
export class ValidateCheck extends CheckpointCheck {
  static override readonly description = "Refuses a checkpoint that is empty, has no weights, or contradicts itself";
  static override readonly schema = options;
  readonly options: z.output<typeof options>;

  /** @throws {CheckpointConfigError} INVALID_ARGUMENT */
  constructor(input: z.input<typeof options> = {}) {
    super();
    this.options = parseOptions(options, input, "ValidateCheck");
  }

  async process(context: CheckpointContext): Promise<CheckpointContext> {
    return this.processSync(context);
  }

  /** @throws {CheckpointValidationError} CHECK_FAILED with every problem */
  processSync(context: CheckpointContext): CheckpointContext {
    const { from } = this.options;
    const checkpoint =
      (from === undefined ? context.checkpoint : context.checkpoints.get(from)) ?? context.requireCheckpoint(this.name, from);
    const problems = [...problemsOf(checkpoint), ...absent(checkpoint, this.options.require)];
    if (problems.length > 0) {
      throw checkFailed(`${checkpoint.uri} is not a sound checkpoint`, problems, {
        suggestions: ["Look at what it holds with: ckpt inspect --tree"],
      });
    }
    const { tensors, layout } = checkpoint;
    return recordCheck(context, "validate", { layout, tensors: tensors.length });
  }
}

function problemsOf(checkpoint: Checkpoint): string[] {
  const { tensors, metadata, tree, findings } = checkpoint;
  if (tensors.length === 0 && Object.keys(metadata).length === 0) return ["it is empty: it holds neither tensors nor other values"];
  return [
    ...stateDictProblems(checkpoint),
    ...listed(
      tensors.filter(({ storage, byteLength }) => !storage && byteLength > 0).map(({ path }) => path),
      "tensors have no bytes in the file",
    ),
    ...["epoch", "global_step"].flatMap((key) => counterProblem(tree, key)),
    ...["optimizer_states", "lr_schedulers"].flatMap((key) => listProblem(tree, key)),
    ...findings
      .filter(({ severity, rule }) => severity === "error" || rule === "weights-not-written")
      .map(({ message, at }) => (at === undefined ? message : `${message.replace(/\.$/, "")} (${at})`)),
  ];
}

function stateDictProblems({ tensors, tree }: Checkpoint): string[] {
  const names = tensors.filter(({ group }) => group === "model").map(({ name }) => name);
  const seen = new Set<string>();
  const twice = names.filter((name) => seen.size === seen.add(name).size);
  if (names.length > 0) return listed(twice, "names stand for two tensors of the state dict");
  try {
    extractStateDict(tree);
    return ["its state dict holds no tensors"];
  } catch (error) {
    if (error instanceof CheckpointError) return [error.message.replace(/\.$/, "")];
    throw error;
  }
}

function listed(names: readonly string[], what: string): string[] {
  if (names.length === 0) return [];
  return [`${names.length} ${what}: ${names.slice(0, 5).join(", ")}${names.length > 5 ? " ..." : ""}`];
}

function counterProblem(tree: Tree, key: string): string[] {
  const value = getEntry(tree, key);
  if (value === undefined || value === null || typeof value === "bigint" || isNode(value)) {
    return isNode(value) && value.kind !== "tensor" ? [`its ${key} is not a number`] : [];
  }
  return typeof value === "number" && Number.isInteger(value) && value >= 0 ? [] : [`its ${key} is not a whole number from 0 on`];
}

function listProblem(tree: Tree, key: string): string[] {
  const value = getEntry(tree, key);
  return value === undefined || value === null || (isNode(value) && value.kind === "list") ? [] : [`its ${key} is not a list`];
}

function absent({ tensors, tree }: Checkpoint, patterns: readonly string[]): string[] {
  const keys = isNode(tree) && tree.kind === "map" ? tree.entries.map(([key]) => String(key)) : [];
  return patterns.flatMap((pattern) => {
    const matches = globMatcher(pattern);
    const found = keys.some(matches) || tensors.some(({ path, name }) => matches(path) || matches(name));
    return found ? [] : [`nothing in it matches "${pattern}"`];
  });
}
