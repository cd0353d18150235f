import type { StageKind } from "@ckptkit/core/pipeline";

/** What class names end in, by the kind of stage. The longest that fits is dropped. */
const SUFFIXES: Readonly<Record<StageKind, readonly string[]>> = {
  source: ["CheckpointSource", "Source"],
  check: ["CheckpointCheck", "Check"],
  loader: ["LoadingStrategy", "Strategy", "Loader"],
  modifier: ["ModelModifier", "Modifier"],
  sink: ["CheckpointSink", "Sink"],
};

/**
 * The simple name of a stage class: its suffix dropped, in snake_case.
 *
 * @example simpleName("TransferLearningLoader", "loader") // "transfer_learning"
 */
export function simpleName(className: string, kind: StageKind): string {
  const suffix = SUFFIXES[kind].find((ending) => className.endsWith(ending) && className.length > ending.length) ?? "";
  return className
    .slice(0, className.length - suffix.length)
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1_$2")
    .toLowerCase();
}
