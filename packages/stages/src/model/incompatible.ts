import { CheckpointIncompatibleError } from "@ckptkit/core";

/** A tensor whose shape or dtype differs between a model and a checkpoint. */
export interface Mismatch<T> {
  name: string;
  /** The model's. */
  expected: T;
  /** The checkpoint's. */
  found: T;
}

/** How a checkpoint and a model differ. */
export interface Differences {
  /** In the model, not in the checkpoint. */
  missingKeys: readonly string[];
  /** In the checkpoint, not in the model. */
  unexpectedKeys: readonly string[];
  shapeMismatches: readonly Mismatch<readonly number[]>[];
  /** Dtypes between which values are not converted. */
  dtypeMismatches: readonly Mismatch<string>[];
}

/** Differences as an error tells them. */
export type ToldDifferences = Partial<Differences> & {
  /** Groups of names that share one tensor in the model, and not in the checkpoint. */
  tieMismatches?: readonly (readonly string[])[];
};

/** Differences of each kind that the message shows; the details hold all. */
const SHOWN = 5;

/**
 * The error for a checkpoint that does not fit a model: its message shows the first five differences of each kind, its
 * details all of them.
 *
 * @example throw incompatibleError({ missingKeys: ["head.bias"] });
 */
export function incompatibleError(differences: ToldDifferences, suggestions: readonly string[] = []): CheckpointIncompatibleError {
  const { missingKeys = [], unexpectedKeys = [], shapeMismatches = [], dtypeMismatches = [], tieMismatches = [] } = differences;
  return new CheckpointIncompatibleError("INCOMPATIBLE", `The checkpoint does not fit the model: ${describeDifferences(differences)}.`, {
    details: {
      missingKeys,
      unexpectedKeys,
      shapeMismatches,
      ...(dtypeMismatches.length > 0 && { dtypeMismatches }),
      ...(tieMismatches.length > 0 && { tieMismatches }),
    },
    suggestions,
  });
}

/** The differences in words, the first five of each kind. */
export function describeDifferences(differences: ToldDifferences): string {
  const { missingKeys = [], unexpectedKeys = [], shapeMismatches = [], dtypeMismatches = [], tieMismatches = [] } = differences;
  const shape = (sizes: readonly number[]): string => `[${sizes.join(", ")}]`;
  const parts = [
    list(missingKeys, "missing from the checkpoint"),
    list(unexpectedKeys, "not in the model"),
    list(
      shapeMismatches.map(({ name, expected, found }) => `${name} (model ${shape(expected)}, checkpoint ${shape(found)})`),
      "of another shape",
    ),
    list(
      dtypeMismatches.map(({ name, expected, found }) => `${name} (model ${expected}, checkpoint ${found})`),
      "of another dtype",
    ),
    list(
      tieMismatches.map((names) => names.join(" = ")),
      "tied in the model only",
    ),
  ];
  return parts.filter((part) => part !== undefined).join("; ");
}

function list(items: readonly string[], what: string): string | undefined {
  if (items.length === 0) return undefined;
  const more = items.length > SHOWN ? ` and ${items.length - SHOWN} more` : "";
  return `${items.length} ${what}: ${items.slice(0, SHOWN).join(", ")}${more}`;
}
