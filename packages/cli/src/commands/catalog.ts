import { type CatalogEntry, stageOptions } from "@ckptkit/catalog";
import { STAGE_KINDS, type StageKind } from "@ckptkit/core/pipeline";
import type { CommandContext, CommonFlags } from "../command-context.js";
import { EXIT } from "../output/errors.js";
import { writeJson } from "../output/json.js";
import { printable } from "../output/printable.js";
import type { Screen } from "../output/screen.js";
import { tableText } from "../output/table.js";
import { warnOfNotices } from "../pipeline/notices.js";
import { loadCatalog } from "../pipeline/read-pipeline.js";

/** Lists the stages that there are; or the options of one. */
export async function catalog(
  kind: StageKind | undefined,
  name: string | undefined,
  { json, verbose = false }: CommonFlags,
  { out, err }: CommandContext,
): Promise<number> {
  const stages = await loadCatalog(process.cwd());
  const entries = kind !== undefined && name !== undefined ? [stages.get(kind, name)] : stages.list(kind);
  if (json) {
    writeJson(out, { stages: entries.map(describe), notices: stages.notices });
    return EXIT.good;
  }
  warnOfNotices(stages.notices, err, verbose);
  const [only] = entries;
  if (name !== undefined && only) writeOptions(only, out);
  else
    for (const each of kind === undefined ? STAGE_KINDS : [kind])
      writeKind(
        each,
        entries.filter((entry) => entry.kind === each),
        out,
      );
  return EXIT.good;
}

const describe = (entry: CatalogEntry) => {
  const { kind, name, className, module, description } = entry;
  return { kind, name, target: `${module}#${className}`, description, options: stageOptions(entry) };
};

function writeKind(kind: StageKind, entries: readonly CatalogEntry[], screen: Screen): void {
  const { bold, dim } = screen.colors;
  const width = Math.max(0, ...entries.map(({ name }) => name.length));
  screen.write(`${bold(kind)}${entries.length === 0 ? dim("  none") : ""}\n`);
  for (const { name, description, module } of entries) {
    const origin = module.startsWith("@ckptkit/stages/") ? "" : dim(`  (${printable(module)})`);
    screen.write(`  ${name.padEnd(width)}  ${printable(description)}${origin}\n`);
  }
}

function writeOptions(entry: CatalogEntry, screen: Screen): void {
  const { bold, dim, cyan } = screen.colors;
  const { kind, name, description, module, className } = entry;
  screen.write(`${bold(`${kind} ${name}`)}  ${printable(description)}\n${dim(`${module}#${className}`)}\n`);
  const rows = stageOptions(entry).map((option) => ({
    cells: [
      option.name,
      option.type,
      option.required ? "required" : option.default === undefined ? "" : JSON.stringify(option.default),
      printable(option.description),
    ],
  }));
  const columns = [{ title: "option", style: cyan }, { title: "type", elastic: true }, { title: "default" }, { title: "" }];
  screen.write(rows.length === 0 ? "It takes no options.\n" : `\n${tableText(columns, rows, screen, 2)}`);
}
