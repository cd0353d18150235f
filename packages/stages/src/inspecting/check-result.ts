import { CheckpointValidationError, type Json } from "@ckptkit/core";
import type { CheckpointContext } from "@ckptkit/core/pipeline";

/** Problems that a message shows; the details hold all. */
const SHOWN = 5;

/**
 * The error of a check: its message shows the first five problems, its details all of them.
 *
 * @example throw checkFailed("model.ckpt is not sound", problems);
 */
export function checkFailed<T extends Json>(
  what: string,
  problems: readonly T[],
  { describe = String, suggestions = [] }: { describe?: (problem: T) => string; suggestions?: readonly string[] } = {},
): CheckpointValidationError {
  const shown = problems.slice(0, SHOWN).map(describe).join("; ");
  const more = problems.length > SHOWN ? `; and ${problems.length - SHOWN} more` : "";
  return new CheckpointValidationError("CHECK_FAILED", `${what}: ${shown}${more}.`, { details: { problems }, suggestions });
}

/** The context with a check's result in its metadata, under `check_<name>`. */
export function recordCheck(context: CheckpointContext, name: string, result: { readonly [key: string]: Json }): CheckpointContext {
  return context.withMetadata({ [`check_${name}`]: { status: "passed", ...result } });
}
