import { CheckpointConfigError } from "@ckptkit/core";
import type { CheckpointContext } from "@ckptkit/core/pipeline";

/** Keys of a pipeline's configuration under which an address is looked for. */
const CONFIG_KEYS = ["checkpoint_path", "checkpointPath", "checkpoint", "uri", "url", "path"];

/**
 * The address that a source opens: its own option, else the context's path, else one in the pipeline's configuration, each if
 * the source handles it.
 *
 * @param stage the class's name, for messages.
 * @throws {CheckpointConfigError} CONTEXT_INCOMPLETE when there is none
 */
export function addressFor(
  context: CheckpointContext,
  stage: string,
  option: string | undefined,
  supports: (uri: string) => boolean,
): string {
  if (option !== undefined) return option;
  const { checkpointPath, config } = context;
  if (checkpointPath !== undefined && supports(checkpointPath)) return checkpointPath;
  for (const key of CONFIG_KEYS) {
    const value = config?.[key];
    if (typeof value === "string" && supports(value)) return value;
  }
  throw new CheckpointConfigError("CONTEXT_INCOMPLETE", `The stage ${stage} was given no address that it handles.`, {
    details: { stage, missing: ["checkpointPath"], lookedIn: ["options", "checkpointPath", ...CONFIG_KEYS.map((key) => `config.${key}`)] },
    suggestions: [
      "Give the address as an option of the stage, or as the context's checkpointPath.",
      "To open an address of any kind, use the source uri.",
    ],
  });
}
