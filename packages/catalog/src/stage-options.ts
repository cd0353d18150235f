import type { Json } from "@ckptkit/core";
import * as z from "zod";
import type { CatalogEntry } from "./discover.js";
import { AS_DESCRIPTION, AS_KEY } from "./named-source.js";

/** One option of a stage, for people. */
export interface StageOption {
  readonly name: string;
  /** `string`, `integer`, `one of lazy, eager`, `list of strings`. */
  readonly type: string;
  readonly required: boolean;
  /** Left out where there is none. */
  readonly default?: Json | undefined;
  readonly description: string;
}

type Schema = { readonly [key: string]: unknown };

/**
 * The options that a stage takes, in the order of its schema.
 *
 * @example stageOptions(catalog.get("loader", "weights_only")).map(({ name }) => name); // ["strict", "from", ...]
 */
export function stageOptions({ kind, schema }: Pick<CatalogEntry, "kind" | "schema">): StageOption[] {
  const named: StageOption[] = kind === "source" ? [{ name: AS_KEY, type: "string", required: false, description: AS_DESCRIPTION }] : [];
  if (!schema) return named;
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  const own = Object.entries(properties).map(([name, property]) => {
    const option = property as Schema; // a JSON Schema that is no boolean: zod makes none
    return {
      name,
      type: typeText(option),
      required: required.includes(name),
      ...(option.default !== undefined && { default: option.default as Json }), // a schema is JSON
      description: typeof option.description === "string" ? option.description : "",
    };
  });
  return own.some(({ name }) => name === AS_KEY) ? own : [...own, ...named];
}

function typeText(schema: Schema): string {
  const { type, const: only, items } = schema;
  if (Array.isArray(schema.enum)) return `one of ${schema.enum.join(", ")}`;
  if (only !== undefined) return JSON.stringify(only);
  const choices = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(choices)) return [...new Set(choices.map((choice: Schema) => typeText(choice)))].join(" or ");
  if (type === "array") return typeof items === "object" && items !== null ? `list of ${plural(typeText(items as Schema))}` : "list";
  if (type === "object") return "map";
  return typeof type === "string" ? type : "any value";
}

const plural = (noun: string): string => (/^(?:string|integer|number|boolean|map)$/.test(noun) ? `${noun}s` : noun);
