import { CAST_DTYPES, type Checkpoint, DTYPES, isDType, type TensorData } from "@ckptkit/core";
import type { CheckpointContext } from "@ckptkit/core/pipeline";
import { globMatcher } from "@ckptkit/inspect";

/** Options by which stages choose what they look at. Those of other packages may use them too. */
interface CommonOptions {
  of?: unknown;
  from?: unknown;
  include?: unknown;
  exclude?: unknown;
  all?: unknown;
  dtype?: unknown;
}

/** Bytes of the tensors that a stage looks at, as they are and as it would write them. */
export interface Extent {
  readBytes: number;
  writtenBytes: number;
}

/**
 * What a stage with these options reads and writes at most: every tensor of its subject that its globs choose, tied ones once; without `all`,
 * where a stage has it, those of the model.
 */
export function extentOf(context: CheckpointContext, options: CommonOptions): Extent {
  const isChosen = selection(options);
  const extent: Extent = { readBytes: 0, writtenBytes: 0 };
  const seen = new Set<unknown>();
  const add = (identity: unknown, { dtype, byteLength }: Pick<TensorData, "dtype" | "byteLength">): void => {
    if (seen.has(identity)) return;
    seen.add(identity);
    extent.readBytes += byteLength;
    extent.writtenBytes += byteLength * castFactor(dtype, options.dtype);
  };
  const checkpoint = subjectOf(context, options);
  if (checkpoint) {
    for (const tensor of checkpoint.tensors) {
      if (!isChosen(tensor.name, tensor.path) || (options.all === false && tensor.group !== "model")) continue;
      const { storage, spec, shape } = tensor;
      if (storage) add(`${storage.id} ${spec.byteOffset} ${tensor.dtype} ${shape.join()} ${tensor.strides.join()}`, tensor);
    }
  } else for (const [name, tensor] of context.model?.stateDict() ?? []) if (isChosen(name, name)) add(tensor, tensor);
  return extent;
}

/** The checkpoint that a stage looks at; undefined for the model. */
function subjectOf({ checkpoint, checkpoints, model }: CheckpointContext, { of, from }: CommonOptions): Checkpoint | undefined {
  if (typeof from === "string") return checkpoints.get(from);
  if (of === "checkpoint" || !model) return checkpoint;
  return of === "model" || model.weightsInitialized ? undefined : checkpoint;
}

function selection({ include, exclude }: CommonOptions): (name: string, path: string) => boolean {
  const matchers = (globs: unknown): ((text: string) => boolean)[] =>
    (Array.isArray(globs) ? globs : []).filter((glob) => typeof glob === "string").map(globMatcher);
  const included = Array.isArray(include) ? matchers(include) : undefined;
  const excluded = matchers(exclude);
  const hits = (list: readonly ((text: string) => boolean)[], name: string, path: string): boolean =>
    list.some((matches) => matches(name) || matches(path));
  return (name, path) => (!included || hits(included, name, path)) && !hits(excluded, name, path);
}

const FLOATS: readonly string[] = CAST_DTYPES;

function castFactor(from: string, to: unknown): number {
  if (typeof to !== "string" || !FLOATS.includes(from) || !isDType(from) || !isDType(to)) return 1;
  return DTYPES[to].bits / DTYPES[from].bits;
}
