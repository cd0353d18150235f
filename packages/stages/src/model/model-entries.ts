import { type Checkpoint, CheckpointValidationError, DTYPES, isDType, type TensorHandle } from "@ckptkit/core";
import { extractStateDict } from "@ckptkit/formats";
import { tieKeys } from "@ckptkit/inspect";

/** One parameter or buffer that a {@link ReferenceModel} is made of. */
export interface ModelEntry {
  /** Full dotted name, as in the state dict. */
  name: string;
  dtype: string;
  shape: readonly number[];
  /** Buffers are never trained. Default `parameter`. */
  kind?: "parameter" | "buffer" | undefined;
  /** Whether it is trained. Default true for parameters. */
  requiresGrad?: boolean | undefined;
  /** The name of an earlier entry whose tensor this one shares. */
  tiedTo?: string | undefined;
  /** Bytes of the contiguous form: needed for dtypes that are not in `DTYPES` of core. */
  byteLength?: number | undefined;
}

/** Buffers of torch's own modules. @see torch/nn/modules/batchnorm.py, _NormBase */
const BUFFER_NAMES = new Set(["running_mean", "running_var", "num_batches_tracked"]);

/**
 * The weights of a checkpoint, as a model is made of them: names, dtypes, shapes and ties. Reads nothing. State dicts do not
 * tell buffers from parameters, so buffers are recognised by their place in a pickled module, by the names that torch's own
 * modules give them, and by dtypes that cannot be trained.
 *
 * @throws {CheckpointValidationError} NO_STATE_DICT, NAME_CONFLICT
 */
export function entriesOf(checkpoint: Checkpoint): ModelEntry[] {
  const keyOf = tieKeys();
  const firstOfKey = new Map<string, string>();
  return [...modelTensors(checkpoint)].map(([name, tensor]) => {
    const key = keyOf(tensor.spec);
    const tiedTo = firstOfKey.get(key);
    if (tiedTo === undefined) firstOfKey.set(key, name);
    const { dtype, shape, byteLength } = tensor;
    return { name, dtype, shape, byteLength, tiedTo, kind: isBuffer(tensor) ? "buffer" : "parameter" };
  });
}

/**
 * The tensors of a checkpoint's state dict by their names.
 *
 * @throws {CheckpointValidationError} NO_STATE_DICT, NAME_CONFLICT
 */
export function modelTensors(checkpoint: Checkpoint): Map<string, TensorHandle> {
  const tensors = new Map<string, TensorHandle>();
  for (const tensor of checkpoint.tensors) {
    if (tensor.group !== "model") continue;
    if (tensors.has(tensor.name)) {
      throw new CheckpointValidationError(
        "NAME_CONFLICT",
        `The state dict of ${checkpoint.uri} has two tensors of the name ${JSON.stringify(tensor.name)}.`,
        { details: { name: tensor.name } },
      );
    }
    tensors.set(tensor.name, tensor);
  }
  if (tensors.size === 0) {
    extractStateDict(checkpoint.tree); // throws, and says what it looked for
    throw new CheckpointValidationError("NO_STATE_DICT", `The state dict of ${checkpoint.uri} holds no tensors.`);
  }
  return tensors;
}

function isBuffer({ name, keys, dtype }: TensorHandle): boolean {
  if (BUFFER_NAMES.has(name.slice(name.lastIndexOf(".") + 1)) || keys.at(-2) === "_buffers") return true;
  const kind = isDType(dtype) ? DTYPES[dtype].kind : "float";
  return kind !== "float" && kind !== "complex";
}
