import { CheckpointValidationError, type OutputTensor } from "@ckptkit/core";
import { quoted } from "./quoted.js";

/**
 * Throws when two tensors would have one name.
 *
 * @throws {CheckpointValidationError} NAME_CONFLICT
 */
export function checkUniqueNames(tensors: readonly OutputTensor[]): void {
  const seen = new Set<string>();
  for (const { name } of tensors) {
    if (seen.has(name)) {
      throw new CheckpointValidationError("NAME_CONFLICT", `Two tensors would be written under the name ${quoted(name)}.`, {
        details: { name },
        suggestions: ["Select fewer tensors with a filter."],
      });
    }
    seen.add(name);
  }
}

/**
 * Splits tensors into those to store and, for the rest, the stored one that has the same bytes.
 *
 * @param reserved names under which nothing can be noted: such tensors are stored, tied or not.
 */
export function separateTies<T extends OutputTensor>(
  tensors: readonly T[],
  reserved: ReadonlySet<string>,
): { stored: T[]; ties: Map<string, string> } {
  const keptByKey = new Map<string, string>();
  const ties = new Map<string, string>();
  const stored: T[] = [];
  for (const tensor of tensors) {
    const kept = keptByKey.get(tensor.tieKey);
    if (kept !== undefined && !reserved.has(tensor.name)) {
      ties.set(tensor.name, kept);
      continue;
    }
    if (kept === undefined) keptByKey.set(tensor.tieKey, tensor.name);
    stored.push(tensor);
  }
  return { stored, ties };
}
