import type { PlannedStep } from "../../engine/pipeline.js";
import { formatSize, formatWhole } from "../../parts/format.js";

/** Names of each sort that are shown. */
const SHOWN = 5;

/** What a stage would do, in the words of `ckpt plan`. */
export function outcomeText({ status, fit, error }: PlannedStep): string {
  switch (status) {
    case "ready":
      return fit ? `${formatWhole(fit.loaded)} of ${formatWhole(fit.tensors)} tensors fit` : "ok, from headers";
    case "reads":
      return "known when values are read";
    case "fails":
      return `would fail: ${error?.code ?? "?"}`;
    case "unreached":
      return "not reached";
  }
}

/** How much it would read and write; empty for nothing. */
export function bytesText({ readsBytes, writesBytes, isEstimate }: PlannedStep): string {
  const about = isEstimate ? "at most " : "";
  const parts = [
    readsBytes > 0 ? `reads ${about}${formatSize(readsBytes)}` : "",
    writesBytes > 0 ? `writes ${about}${formatSize(writesBytes)}` : "",
  ];
  return parts.filter(Boolean).join(", ");
}

/** What there is to say of it besides. */
export function noteLines({ notes, fit }: PlannedStep): string[] {
  if (!fit) return [...notes];
  const { missingKeys, unexpectedKeys, shapeMismatches, dtypeMismatches, skipped, converted } = fit;
  const differences = (list: typeof shapeMismatches): string[] =>
    list.map(({ name, expected, found }) => `${name} (model ${JSON.stringify(expected)}, checkpoint ${JSON.stringify(found)})`);
  return [
    ...notes,
    listed("missing from the checkpoint", missingKeys),
    listed("not in the model", unexpectedKeys),
    listed("of another shape", differences(shapeMismatches)),
    listed("of another dtype", differences(dtypeMismatches)),
    listed(
      "skipped",
      Object.entries(skipped).map(([name, reason]) => `${name} (${reason})`),
    ),
    converted > 0 ? `${formatWhole(converted)} converted to the model's dtype` : "",
  ].filter(Boolean);
}

function listed(what: string, names: readonly string[]): string {
  if (names.length === 0) return "";
  const more = names.length > SHOWN ? ` and ${formatWhole(names.length - SHOWN)} more` : "";
  return `${formatWhole(names.length)} ${what}: ${names.slice(0, SHOWN).join(", ")}${more}`;
}
