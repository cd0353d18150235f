import { type Checkpoint, CheckpointConfigError } from "@ckptkit/core";
import { globFilter, type SelectTensor } from "@ckptkit/inspect";

/**
 * The choice that --filter makes. A glob that matches nothing is a slip, and must not pass for a clean result.
 *
 * @throws {CheckpointConfigError} NO_TENSORS; INVALID_ARGUMENT for what is no glob
 */
export function selection(checkpoint: Checkpoint, pattern: string): SelectTensor {
  const select = parseGlob(pattern);
  if (checkpoint.tensors.some(select)) return select;
  const example = checkpoint.tensors[0]?.path;
  throw new CheckpointConfigError("NO_TENSORS", `--filter ${pattern} matches none of the ${checkpoint.tensors.length} tensors.`, {
    details: { filter: pattern, tensors: checkpoint.tensors.length },
    suggestions: [
      ...(example === undefined ? [] : [`The glob must match a whole path or name, such as ${example}: try '*${pattern}*'.`]),
      "List all paths with: ckpt inspect",
    ],
  });
}

/** An empty pattern matches nothing but an empty name: a variable of a script that was not set. */
function parseGlob(pattern: string): SelectTensor {
  if (pattern !== "") return globFilter(pattern);
  throw new CheckpointConfigError("INVALID_ARGUMENT", '--filter "" is not a glob.', {
    details: { filter: pattern },
    suggestions: ["Give one such as '*.weight' or 'encoder.*'."],
  });
}
