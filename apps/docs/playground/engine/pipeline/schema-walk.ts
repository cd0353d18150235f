import type { JsonSchema } from "@ckptkit/catalog";
import type { Json } from "@ckptkit/core";
import { type Step, valueAt } from "./yaml-cursor.js";

/** What is used of JSON Schema. */
export interface SchemaNode {
  readonly title?: string;
  readonly description?: string;
  readonly default?: Json;
  readonly type?: string;
  readonly enum?: readonly Json[];
  readonly const?: Json;
  readonly examples?: readonly Json[];
  readonly properties?: { readonly [name: string]: SchemaNode };
  readonly additionalProperties?: SchemaNode | boolean;
  readonly items?: SchemaNode;
  readonly required?: readonly string[];
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
  readonly allOf?: readonly SchemaNode[];
  readonly pattern?: string;
  readonly $ref?: string;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** Chains of references and choices, deeper than any schema's. */
const MAX_DEPTH = 40;

/** The schema of the catalog, to be walked along a document. */
export class SchemaWalk {
  readonly #root: SchemaNode;
  readonly #definitions: { readonly [name: string]: SchemaNode };

  constructor(schema: JsonSchema) {
    // What pipelineJsonSchema makes is JSON Schema; what is not used of it is left aside.
    this.#root = schema as SchemaNode;
    this.#definitions = (schema.$defs ?? {}) as unknown as { [name: string]: SchemaNode };
  }

  /**
   * The schemas of what a path leads to in a document: without choices, each with the description of the choice that it was part of. Where
   * the document tells which choice was made (the name of a stage), the others are left out.
   *
   * @param document plain data, of which what is on the path matters.
   */
  at(path: readonly Step[], document: unknown): SchemaNode[] {
    let schemas = fitting(this.#leaves(this.#root, 0), document);
    for (const [depth, step] of path.entries()) {
      const inner = schemas.flatMap((schema) => this.#member(schema, step));
      schemas = fitting(
        inner.flatMap((schema) => this.#leaves(schema, 0)),
        valueAt(document, path.slice(0, depth + 1)),
      );
    }
    return schemas;
  }

  /** The schema of one entry of a map, with its own description. */
  property(schema: SchemaNode, name: string): SchemaNode | undefined {
    return schema.properties && Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined;
  }

  /** The schemas of a list's items. */
  items(schema: SchemaNode): SchemaNode[] {
    return schema.items ? this.#leaves(schema.items, 0) : [];
  }

  /** The choices that a schema stands for. */
  choices(schema: SchemaNode): SchemaNode[] {
    return this.#leaves(schema, 0);
  }

  #member(schema: SchemaNode, step: Step): SchemaNode[] {
    if (typeof step === "number") return schema.items ? [schema.items] : [];
    const own = this.property(schema, step);
    if (own) return [own];
    return typeof schema.additionalProperties === "object" ? [schema.additionalProperties] : [];
  }

  #leaves(schema: SchemaNode, depth: number): SchemaNode[] {
    if (depth > MAX_DEPTH) return [];
    if (schema.$ref !== undefined) {
      const target = this.#definitions[schema.$ref.replace("#/$defs/", "")];
      return target ? this.#leaves(target, depth + 1) : [];
    }
    const choices = schema.anyOf ?? schema.oneOf;
    // The root and stages say with anyOf which keys they need beside properties of their own.
    if (!choices || schema.properties) return isVariable(schema) ? [] : [schema];
    const { description, default: standard } = schema;
    return choices.flatMap((choice) =>
      this.#leaves(
        { ...(description !== undefined && { description }), ...(standard !== undefined && { default: standard }), ...choice },
        depth + 1,
      ),
    );
  }
}

/** Stands beside every option that is no text: a text with a variable in it. */
const isVariable = ({ type, pattern }: SchemaNode): boolean => type === "string" && pattern === "\\$\\{";

/** Keys that a map of this schema must have. */
export const requiredKeys = ({ required = [], allOf = [] }: SchemaNode): string[] => [
  ...required,
  ...allOf.flatMap(({ required: own, anyOf }) => own ?? anyOf?.[0]?.required ?? []),
];

/** The schemas that a value can be meant for: those that know most of its keys, and allow what stands there. */
function fitting(schemas: readonly SchemaNode[], value: unknown): SchemaNode[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [...schemas];
  const scored = schemas.map((schema) => ({ schema, score: scoreOf(schema, value) }));
  const best = Math.max(...scored.map(({ score }) => score));
  return scored.filter(({ score }) => score === best).map(({ schema }) => schema);
}

function scoreOf({ properties, type }: SchemaNode, value: object): number {
  if (!properties) return type === "object" || type === undefined ? 0 : -1;
  let score = 0;
  for (const [key, entry] of Object.entries(value)) {
    const property = properties[key];
    if (!property) continue;
    const isWrong = property.enum !== undefined && entry !== null && !property.enum.includes(entry);
    // A name of a stage that there is not still tells its kind, but none of its options.
    score += isWrong ? -100 : 1;
  }
  return score;
}
