import type { Json } from "@ckptkit/core";
import { STAGE_KINDS } from "@ckptkit/core/pipeline";
import { z } from "zod";
import { type Catalog, TARGET_KEY, targetOf } from "../catalog.js";
import type { CatalogEntry } from "../discover.js";
import { AS_DESCRIPTION, AS_KEY } from "../named-source.js";
import { settingsSchema } from "./settings.js";

/** JSON Schema of pipeline files, 2020-12: for editors that complete and check. */
export type JsonSchema = { readonly [key: string]: Json };

type Properties = { [key: string]: Json };

/**
 * The JSON Schema of a pipeline file, with every stage that the catalog knows. Options may be written in snake_case, and
 * whatever is not text may come from an environment variable.
 *
 * @example await writeFile("pipeline.schema.json", JSON.stringify(pipelineJsonSchema(await Catalog.load())));
 */
export function pipelineJsonSchema(catalog: Catalog): JsonSchema {
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
      ...optionsOf(settingsSchema).properties,
      stages: {
        type: "array",
        description: "What happens to the checkpoint, in order",
        items: { anyOf: [...catalog.list().map(stageSchema), targetSchema(catalog)] },
      },
    },
    anyOf: [{ required: ["stages"] }, { required: ["extends"] }],
    additionalProperties: false,
  };
}

function stageSchema({ kind, name, className, description, schema }: CatalogEntry): Json {
  const { properties, required } = schema ? optionsOf(schema) : { properties: {}, required: [] };
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

/** The options of a schema under both of their spellings, and which of them must be there. */
function optionsOf(schema: z.ZodObject): { properties: Properties; required: Json[] } {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  const both: Properties = {};
  for (const [name, property] of Object.entries(properties)) {
    const option = orVariable(property as Json); // a JSON Schema is JSON
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
