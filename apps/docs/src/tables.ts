import { readdirSync, readFileSync } from "node:fs";
import { Catalog, type CatalogEntry, type StageOption, settingsSchema, stageOptions, targetOf } from "@ckptkit/catalog";
import { ERROR_CODES } from "@ckptkit/core";
import { STAGE_KINDS } from "@ckptkit/core/pipeline";
import { ROOT } from "./pages.js";

/** Pages that hold tables made from the code. */
export const PAGES_WITH_TABLES = ["configuration.md", "pipelines.md", "troubleshooting.md"] as const;

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
  templates: () => table(["Template", "What it does"], templates()),
  codes: () =>
    table(
      ["Code", "Meaning"],
      Object.entries(ERROR_CODES).map(([code, meaning]) => [`[\`${code}\`](#${code.toLowerCase()})`, meaning]),
    ),
};

/** Templates of pipelines, with the first sentence of the comment at the top of each. */
function templates(): string[][] {
  const folder = `${ROOT}packages/catalog/templates/`;
  return readdirSync(folder)
    .sort()
    .map((file) => {
      const comment = /^(?:#.*\n)+/.exec(readFileSync(folder + file, "utf8"))?.[0] ?? "";
      const text = (comment.split(/^#\s*$/m)[0] ?? "").replace(/^# ?/gm, "").replaceAll("\n", " ").trim();
      return [`[\`${file}\`](../packages/catalog/templates/${file})`, /^.*?[.?](?= |$)/.exec(text)?.[0] ?? text];
    });
}

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

const code = (text: string): string => `\`${text}\``;
const sentence = (text: string): string => (text === "" || /[.!?]$/.test(text) ? text : `${text}.`);
const cellText = (cell: string): string =>
  cell
    .replaceAll("|", "\\|")
    .replaceAll("\n", " ")
    .replace(/(?<!`[^`]*)<(?=[a-z])/g, "&lt;");

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cellText).join(" | ")} |`;
  return [line(head), `|${head.map(() => " --- ").join("|")}|`, ...rows.map(line)].join("\n");
}
