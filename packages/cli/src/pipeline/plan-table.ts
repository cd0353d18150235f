import { type LoaderFit, labelText, type PipelinePlan, type PlannedStage, type StageLabel } from "@ckptkit/catalog";
import { formatSize } from "@ckptkit/core";
import { printable } from "../output/printable.js";
import type { Screen } from "../output/screen.js";
import { countText } from "../output/sizes.js";
import { tableText } from "../output/table.js";

/** Names of each kind that are listed. */
const SHOWN = 5;

/** Prints a plan: a line a stage, what a loader would leave out, and the sums. */
export function writePlan(file: string, plan: PipelinePlan, labels: readonly StageLabel[], screen: Screen): void {
  const { colors } = screen;
  const style = { ready: undefined, reads: undefined, fails: colors.red, unreached: colors.dim } as const;
  const rows = plan.stages.map((stage) => {
    const own = style[stage.status];
    const label = labels[stage.index];
    const about = stage.isEstimate ? "~ " : "";
    return {
      cells: [
        String(stage.index + 1),
        label ? labelText(label) : stage.name,
        stage.readsBytes > 0 ? about + formatSize(stage.readsBytes) : "-",
        stage.writesBytes > 0 ? about + formatSize(stage.writesBytes) : "-",
        outcomeText(stage),
      ],
      ...(own && { style: own }),
    };
  });
  const columns = [
    { title: "", align: "right" as const },
    { title: "stage" },
    { title: "reads", align: "right" as const },
    { title: "writes", align: "right" as const },
    { title: "outcome", elastic: true },
  ];
  screen.write(`${colors.bold(printable(file))}\n${tableText(columns, rows, screen, 2)}`);
  for (const stage of plan.stages) {
    for (const line of [...stage.notes, ...(stage.fit ? fitLines(stage.fit) : [])]) {
      screen.write(`  ${colors.dim(`${stage.index + 1}:`)} ${printable(line)}\n`);
    }
  }
  const verdict = plan.fits ? colors.green("The run can go on") : colors.red("The run would fail");
  const sums = `it would read ${formatSize(plan.readsBytes)} and write ${formatSize(plan.writesBytes)}`;
  screen.write(`${verdict}: ${sums}. To tell this, ${formatSize(plan.plannedBytes)} of headers were read.\n`);
}

function outcomeText({ status, fit, error }: PlannedStage): string {
  switch (status) {
    case "ready":
      return fit ? `${countText(fit.loaded)} of ${countText(fit.tensors)} tensors fit` : "ok, from headers";
    case "reads":
      return "is known when values are read";
    case "fails":
      return `fails: ${error?.code ?? "?"}`;
    case "unreached":
      return "not reached";
  }
}

function fitLines({ missingKeys, unexpectedKeys, shapeMismatches, dtypeMismatches, converted, skipped }: LoaderFit): string[] {
  const differences = (what: string, list: LoaderFit["shapeMismatches"]): string | undefined =>
    listed(
      what,
      list.map(({ name, expected, found }) => `${name} (model ${JSON.stringify(expected)}, checkpoint ${JSON.stringify(found)})`),
    );
  return [
    listed("missing from the checkpoint", missingKeys),
    listed("not in the model", unexpectedKeys),
    differences("of another shape", shapeMismatches),
    differences("of another dtype", dtypeMismatches),
    listed(
      "skipped",
      Object.entries(skipped).map(([name, reason]) => `${name} (${reason})`),
    ),
    converted > 0 ? `${countText(converted)} converted to the model's dtype` : undefined,
  ].filter((line) => line !== undefined);
}

function listed(what: string, names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  const more = names.length > SHOWN ? ` and ${countText(names.length - SHOWN)} more` : "";
  return `${countText(names.length)} ${what}: ${names.slice(0, SHOWN).join(", ")}${more}`;
}
