import { Catalog, type CatalogEntry, type StageOption, settingsSchema, stageOptions, targetOf } from "@ckptkit/catalog";
import { DEFAULT_LIMITS, ERROR_CODES, FIXED_LIMITS, LIMIT_REASONS, type LimitName } from "@ckptkit/core";
import { STAGE_KINDS } from "@ckptkit/core/pipeline";
import { AUDIT_RULES, VERDICTS } from "@ckptkit/inspect/audit";
import { code, sentence, markdownTable as table } from "./markdown-table.js";
import { TEMPLATES } from "./templates-page.js";

/** Pages that hold tables made from the code. */
export const PAGES_WITH_TABLES = ["audit.md", "configuration.md", "limits.md", "pipelines.md", "troubleshooting.md"] as const;

/** A page with what stands between `<!-- table: NAME -->` and `<!-- /table -->` made anew. */
export async function withTables(page: string): Promise<string> {
  const catalog = await Catalog.load();
  return page.replace(/(<!-- table: (\w+) -->\n)[\s\S]*?(<!-- \/table -->)/g, (_, begin: string, name: string, end: string) => {
    const make = TABLES[name];
    if (!make) throw new Error(`There is no table ${JSON.stringify(name)}; there are ${Object.keys(TABLES).join(", ")}.`);
    return `${begin}\n${make(catalog)}\n\n${end}`;
  });
}

const TABLES: Readonly<Record<string, (catalog: Catalog) => string>> = {
  settings: () => optionsTable(stageOptions({ kind: "check", schema: settingsSchema })),
  stages: (catalog) => STAGE_KINDS.flatMap((kind) => [`### ${KIND_TITLES[kind]}`, ...catalog.list(kind).map(stageSection)]).join("\n\n"),
  templates: () =>
    table(
      ["Template", "What it does"],
      TEMPLATES.map(({ file, summary, anchor }) => [`[\`${file}\`](reference/templates.md#${anchor})`, summary]),
    ),
  rules: () =>
    table(
      ["Rule", "Verdict", "Meaning", "What to do"],
      Object.entries(AUDIT_RULES)
        .sort(([, a], [, b]) => VERDICTS.indexOf(b.verdict) - VERDICTS.indexOf(a.verdict))
        .map(([rule, { verdict, means, advice }]) => [code(rule), verdict === "clean" ? "" : verdict, means, advice]),
    ),
  limits: () =>
    table(
      ["Limit", "Value", "What it counts, and why it has this value"],
      (Object.keys(DEFAULT_LIMITS) as LimitName[]).map((name) => [
        // The keys are the names.
        `${code(name)}${FIXED_LIMITS.has(name) ? " (fixed)" : ""}`,
        DEFAULT_LIMITS[name].toLocaleString("en-US"),
        LIMIT_REASONS[name],
      ]),
    ),
  codes: () =>
    table(
      ["Code", "Meaning"],
      Object.entries(ERROR_CODES).map(([code, meaning]) => [`[\`${code}\`](#${code.toLowerCase()})`, meaning]),
    ),
};

const KIND_TITLES = { source: "Sources", check: "Checks", loader: "Loaders", modifier: "Modifiers", sink: "Sinks" } as const;

function stageSection(entry: CatalogEntry): string {
  const { kind, name, description } = entry;
  const head = `#### ${kind}: ${name}\n\n${sentence(description)} \`_target_: ${targetOf(entry)}\`.`;
  return `${head}\n\n${optionsTable(stageOptions(entry))}`;
}

function optionsTable(options: readonly StageOption[]): string {
  if (options.length === 0) return "It takes no options.";
  const rows = options.map(({ name, type, required, default: standard, description }) => [
    code(name),
    type,
    required ? "needed" : standard === undefined ? "" : code(JSON.stringify(standard)),
    sentence(description),
  ]);
  return table(["Option", "Type", "Default", "Meaning"], rows);
}
