import type { Json } from "@ckptkit/core";
import { STAGE_KINDS } from "@ckptkit/core/pipeline";
import * as z from "zod";
import { type Catalog, TARGET_KEY, targetOf } from "../catalog.js";
import type { CatalogEntry } from "../discover.js";
import { AS_DESCRIPTION, AS_KEY } from "../named-source.js";
import { settingsSchema } from "./settings.js";

/** JSON Schema of pipeline files, 2020-12: for editors that complete and check. */
export type JsonSchema = { readonly [key: string]: Json };

type Properties = { [key: string]: Json };

/** What is used of the schema of an object. */
interface OwnSchema {
  properties?: Properties;
  required?: string[];
  $defs?: Properties;
}

/**
 * The JSON Schema of a pipeline file, with every stage that the catalog knows. Options may be written in snake_case, and
 * whatever is not text may come from an environment variable.
 *
 * @example await writeFile("pipeline.schema.json", JSON.stringify(pipelineJsonSchema(await Catalog.load())));
 */
export function pipelineJsonSchema(catalog: Catalog): JsonSchema {
  const definitions: Properties = {};
  const settings = optionsOf(settingsSchema, "settings", definitions);
  const stages = catalog.list().map((entry) => stageSchema(entry, definitions));
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "ckptkit pipeline",
    type: "object",
    properties: {
      $schema: { type: "string", description: "Where this schema is, for editors" },
      extends: {
        description: "Files that this one adds to, relative to it: maps are merged, everything else is replaced",
        anyOf: [{ type: "string" }, { type: "array", items: { type: "string" } }],
      },
      ...settings.properties,
      stages: {
        type: "array",
        description: "What happens to the checkpoint, in order",
        items: { anyOf: [...stages, targetSchema(catalog)] },
      },
    },
    anyOf: [{ required: ["stages"] }, { required: ["extends"] }],
    additionalProperties: false,
    ...(Object.keys(definitions).length > 0 && { $defs: definitions }),
  };
}

function stageSchema({ kind, name, className, description, schema }: CatalogEntry, definitions: Properties): Json {
  const { properties, required } = schema ? optionsOf(schema, `${kind}-${name}`, definitions) : { properties: {}, required: [] };
  return {
    type: "object",
    title: `${kind}: ${name}`,
    description,
    properties: {
      [kind]: { enum: [name, className], description },
      ...(kind === "source" && { [AS_KEY]: { type: "string", minLength: 1, description: AS_DESCRIPTION } }),
      ...properties,
    },
    required: [kind],
    ...(required.length > 0 && { allOf: required }),
    additionalProperties: schema === undefined,
  };
}

function targetSchema(catalog: Catalog): Json {
  return {
    type: "object",
    title: "A stage by module and class",
    properties: { [TARGET_KEY]: { type: "string", minLength: 1, examples: catalog.list().map(targetOf) } },
    required: [TARGET_KEY],
    not: { anyOf: STAGE_KINDS.map((kind) => ({ required: [kind] })) },
  };
}

/**
 * The options of a schema under both of their spellings, and which of them must be there.
 *
 * @param prefix goes before the names of what the schema defines for itself, which are put into `definitions`.
 */
function optionsOf(schema: z.ZodObject, prefix: string, definitions: Properties): { properties: Properties; required: Json[] } {
  const own = JSON.stringify(z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }));
  const { properties = {}, required = [], $defs = {} }: OwnSchema = JSON.parse(own.replaceAll('"#/$defs/', `"#/$defs/${prefix}-`));
  for (const [name, definition] of Object.entries($defs)) definitions[`${prefix}-${name}`] = definition;
  const both: Properties = {};
  for (const [name, property] of Object.entries(properties)) {
    const option = orVariable(property);
    both[name] = option;
    const other = snakeCase(name);
    both[other] = option;
  }
  const needed = required.map((name): Json => {
    const other = snakeCase(name);
    return other === name ? { required: [name] } : { anyOf: [{ required: [name] }, { required: [other] }] };
  });
  return { properties: both, required: needed };
}

/** The schema, or a text with an environment variable in it. */
function orVariable(property: Json): Json {
  if (typeof property !== "object" || property === null || Array.isArray(property)) return property;
  const { description, default: standard, ...own } = property as Properties; // an object that is no list
  if (own.type === "string" && own.enum === undefined && own.pattern === undefined && own.format === undefined) return property;
  return {
    ...(description !== undefined && { description }),
    ...(standard !== undefined && { default: standard }),
    anyOf: [own, { type: "string", pattern: "\\$\\{" }],
  };
}

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
