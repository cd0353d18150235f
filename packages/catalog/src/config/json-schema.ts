import type { Json } from "@ckptkit/core";
import { STAGE_KINDS } from "@ckptkit/core/pipeline";
import { z } from "zod";
import { type Catalog, TARGET_KEY } from "../catalog.js";
import type { CatalogEntry } from "../discover.js";
import { settingsSchema } from "./settings.js";

/** JSON Schema of pipeline files, 2020-12: for editors that complete and check. */
export type JsonSchema = { readonly [key: string]: Json };

/**
 * The JSON Schema of a pipeline file, with every stage that the catalog knows.
 *
 * @example await writeFile("pipeline.schema.json", JSON.stringify(pipelineJsonSchema(await Catalog.load())));
 */
export function pipelineJsonSchema(catalog: Catalog): JsonSchema {
  const settings = toJson(settingsSchema);
  const properties = settings.properties as { [key: string]: Json }; // of an object schema
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "ckptkit pipeline",
    type: "object",
    properties: {
      $schema: { type: "string" },
      extends: {
        description: "Other files that this one adds to",
        anyOf: [{ type: "string" }, { type: "array", items: { type: "string" } }],
      },
      ...properties,
      stages: {
        type: "array",
        description: "What happens to the checkpoint, in order",
        items: { anyOf: [...catalog.list().map(stageSchema), targetSchema(catalog)] },
      },
    },
    additionalProperties: false,
  };
}

function stageSchema({ kind, name, description, schema }: CatalogEntry): Json {
  const options = schema ? toJson(schema) : {};
  const properties = (options.properties ?? {}) as { [key: string]: Json }; // of an object schema
  return {
    ...options,
    type: "object",
    title: `${kind}: ${name}`,
    description,
    properties: { [kind]: { const: name, description }, ...properties },
    required: [kind, ...((options.required ?? []) as Json[])],
    additionalProperties: schema === undefined,
  };
}

function targetSchema(catalog: Catalog): Json {
  return {
    type: "object",
    title: "A stage by module and class",
    properties: { [TARGET_KEY]: { type: "string", examples: catalog.list().map(({ module, className }) => `${module}#${className}`) } },
    required: [TARGET_KEY],
    not: { anyOf: STAGE_KINDS.map((kind) => ({ required: [kind] })) },
  };
}

/** What a user writes: options with a default may be left out. */
function toJson(schema: z.ZodType): { [key: string]: Json } {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return rest as { [key: string]: Json }; // JSON by definition
}
