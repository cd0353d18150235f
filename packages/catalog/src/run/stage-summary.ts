import type { Json } from "@ckptkit/core";
import { formatSize } from "@ckptkit/core";
import type { CheckpointContext, StageKind } from "@ckptkit/core/pipeline";

/**
 * What a stage did, in a few words, from what it left in its context; '' where there is nothing to tell.
 *
 * @param before the context that the stage was given.
 * @example stageSummary("check", before, after) // "62 tensors checked"
 */
export function stageSummary(kind: StageKind | undefined, before: CheckpointContext | undefined, after: CheckpointContext): string {
  switch (kind) {
    case "source":
      return openedText(before, after);
    case "check":
      return checkText(before, after);
    case "loader":
      return loadedText(after);
    case "modifier":
      return modifiedText(before, after);
    case "sink":
      return writtenText(before, after);
    default:
      return "";
  }
}

function openedText(before: CheckpointContext | undefined, { checkpoint, checkpoints }: CheckpointContext): string {
  const added = [...checkpoints].find(([name, found]) => before?.checkpoints.get(name) !== found);
  const opened = added?.[1] ?? checkpoint;
  if (!opened) return "";
  const { format, layout, tensors, byteLength } = opened;
  return `${added ? `as ${added[0]}: ` : ""}${format}, ${layout}, ${plural(tensors.length, "tensor")}, ${formatSize(byteLength)}`;
}

function checkText(before: CheckpointContext | undefined, { metadata }: CheckpointContext): string {
  const result = entriesOf(newEntry(before, metadata, "check_"));
  const counts = Object.entries(result).flatMap(([key, value]) => (typeof value === "number" ? [counted(value, key)] : []));
  return [...(typeof result.digest === "string" ? [`${result.algorithm} ${result.digest}`] : []), ...counts].join(", ");
}

function loadedText({ metadata, model }: CheckpointContext): string {
  const loads = metadata.loads;
  const last = entriesOf(Array.isArray(loads) ? loads.at(-1) : undefined);
  const size = model?.stateDict().size;
  const loaded =
    typeof last.loaded === "number" ? `${countText(last.loaded)}${size === undefined ? "" : ` of ${countText(size)}`} tensors` : "";
  const skipped = Object.keys(entriesOf(metadata.skipped_params)).length;
  return [loaded, skipped > 0 ? `${countText(skipped)} skipped` : ""].filter(Boolean).join(", ");
}

function modifiedText(before: CheckpointContext | undefined, { metadata }: CheckpointContext): string {
  const applied = metadata.modifiers_applied;
  if (!Array.isArray(applied) || before?.metadata.modifiers_applied === applied) return "";
  return Object.entries(entriesOf(applied.at(-1)))
    .flatMap(([key, value]) => {
      if (typeof value === "number") return [counted(value, key)];
      return Array.isArray(value) && key !== "submodules" ? [counted(value.length, key)] : [];
    })
    .slice(0, 3)
    .join(", ");
}

function writtenText(before: CheckpointContext | undefined, { metadata }: CheckpointContext): string {
  const { saved, report } = metadata;
  if (Array.isArray(saved) && before?.metadata.saved !== saved) {
    const { files } = entriesOf(saved.at(-1));
    const list = (Array.isArray(files) ? files : []).map(entriesOf);
    const bytes = list.reduce((sum, { byteLength }) => sum + (typeof byteLength === "number" ? byteLength : 0), 0);
    const [first] = list;
    return `${list.length === 1 ? String(first?.name) : plural(list.length, "file")}, ${formatSize(bytes)}`;
  }
  return typeof report === "string" && before?.metadata.report !== report ? report : "";
}

/** The first entry of the metadata that begins so, and that the stage made. */
function newEntry(before: CheckpointContext | undefined, metadata: CheckpointContext["metadata"], prefix: string): Json | undefined {
  const key = Object.keys(metadata).find((name) => name.startsWith(prefix) && before?.metadata[name] !== metadata[name]);
  return key === undefined ? undefined : metadata[key];
}

function entriesOf(value: Json | undefined): { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as { readonly [key: string]: Json }) : {}; // no list: a map
}

/** `total_frozen_params` -> `2 frozen params`. */
function counted(count: number, key: string): string {
  const noun = key.replace(/^total_/, "").replaceAll("_", " ");
  return `${countText(count)} ${count === 1 ? noun.replace(/s$/, "") : noun}`;
}

const countText = (count: number): string => count.toLocaleString("en");
const plural = (count: number, noun: string): string => `${countText(count)} ${noun}${count === 1 ? "" : "s"}`;
