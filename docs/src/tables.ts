import { Catalog, type CatalogEntry, settingsSchema } from "@ckptkit/catalog";
import { ERROR_CODES, type Json } from "@ckptkit/core";
import { STAGE_KINDS } from "@ckptkit/core/pipeline";
import { z } from "zod";

/** Pages that hold tables made from the code. */
export const PAGES_WITH_TABLES = ["configuration.md", "troubleshooting.md"] as const;

/** What zod says of an option, as JSON Schema. */
type Schema = { readonly [key: string]: Json | undefined };

const asSchema = (value: Json | undefined): Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Schema) : {}; // Array.isArray leaves readonly lists in
const asList = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : []);

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
  settings: () => optionsTable(settingsSchema),
  stages: (catalog) => STAGE_KINDS.flatMap((kind) => [`### ${KIND_TITLES[kind]}`, ...catalog.list(kind).map(stageSection)]).join("\n\n"),
  codes: () =>
    table(
      ["Code", "Meaning"],
      Object.entries(ERROR_CODES).map(([code, meaning]) => [`[\`${code}\`](#${code.toLowerCase()})`, meaning]),
    ),
};

const KIND_TITLES = { source: "Sources", check: "Checks", loader: "Loaders", modifier: "Modifiers", sink: "Sinks" } as const;

function stageSection({ kind, name, className, module, description, schema }: CatalogEntry): string {
  const head = `#### ${kind}: ${name}\n\n${sentence(description)} \`_target_: ${module}#${className}\`.`;
  return `${head}\n\n${schema ? optionsTable(schema) : "It takes no options."}`;
}

function optionsTable(schema: z.ZodObject): string {
  const json = asSchema(z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as Json); // JSON by definition
  const definitions = asSchema(json.$defs);
  const required = new Set(asList(json.required));
  const rows = Object.entries(asSchema(json.properties)).map(([name, value]) => {
    const option = asSchema(value);
    const fallback = option.default === undefined ? (required.has(name) ? "needed" : "") : code(JSON.stringify(option.default));
    return [code(name), typeOf(option, definitions), fallback, sentence(String(option.description ?? ""))];
  });
  return rows.length === 0 ? "It takes no options." : table(["Option", "Type", "Default", "Meaning"], rows);
}

function typeOf(option: Schema, definitions: Schema): string {
  if (typeof option.$ref === "string") return typeOf(asSchema(definitions[option.$ref.split("/").at(-1) ?? ""]), definitions);
  if (option.const !== undefined) return code(JSON.stringify(option.const));
  if (option.enum !== undefined)
    return asList(option.enum)
      .map((value) => code(JSON.stringify(value)))
      .join(", ");
  const forms = asList(option.anyOf ?? option.oneOf).map(asSchema);
  if (forms.length > 0) {
    const names = forms.map((form) => typeOf(form, definitions));
    return [...new Set(names)].join(" or ");
  }
  switch (option.type) {
    case "array":
      return `list of ${typeOf(asSchema(option.items), definitions)}`;
    case "object": {
      const keys = Object.keys(asSchema(option.properties));
      if (keys.length > 0) return code(`{${keys.join(", ")}}`);
      return "map";
    }
    case "integer":
    case "number":
      return `${option.type}${range(option)}`;
    case undefined:
      return "any value";
    default:
      return String(option.type);
  }
}

/** zod tells the largest safe integer of every integer: that is no limit for people. */
function range({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Schema): string {
  const shown = (value: Json | undefined): value is number => typeof value === "number" && Math.abs(value) < Number.MAX_SAFE_INTEGER;
  const parts = [
    shown(minimum) && `at least ${minimum}`,
    shown(exclusiveMinimum) && `above ${exclusiveMinimum}`,
    shown(maximum) && `at most ${maximum}`,
    shown(exclusiveMaximum) && `below ${exclusiveMaximum}`,
  ].filter(Boolean);
  return parts.length > 0 ? `, ${parts.join(", ")}` : "";
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
