import type { Json } from "@ckptkit/core";
import { STAGE_KINDS } from "@ckptkit/core/pipeline";
import { notHere } from "./page-limits.js";
import { requiredKeys, type SchemaNode, type SchemaWalk } from "./schema-walk.js";
import { type Step, valueAt, type YamlCursor, yamlCursor } from "./yaml-cursor.js";

/** One thing that can stand at the cursor. */
export interface PipelineCompletion {
  readonly label: string;
  /** `stage`, `option`, `value` ... : what picks the icon. */
  readonly type: "kind" | "stage" | "option" | "value" | "variable";
  /** A few words beside the label. */
  readonly detail: string;
  /** Sentences that explain it. */
  readonly info: string;
  readonly insert: string;
  /** Where in `insert` the cursor goes. */
  readonly caret: number;
  /** Whether there is something to complete right after it. */
  readonly goesOn: boolean;
  /** Higher ones come first among equal matches. */
  readonly rank: number;
}

/** What can stand at one place. */
export interface CompletionList {
  readonly from: number;
  readonly to: number;
  readonly items: readonly PipelineCompletion[];
}

/** What completions may name besides what the schema knows. */
export interface NamesAround {
  /** Checkpoints that are open in the page. */
  readonly checkpoints: readonly string[];
}

/**
 * What can stand at an offset of a pipeline's text: settings, kinds and names of stages, options, their values, names of checkpoints, and
 * variables.
 *
 * @example completePipeline("stages:\n  - check: fin", 21, walk, { checkpoints: [] })?.items[0]?.label; // "audit", "checksum" ...
 */
export function completePipeline(text: string, offset: number, walk: SchemaWalk, around: NamesAround): CompletionList | undefined {
  const variable = /\$\{([A-Za-z_]\w*)?$/.exec(text.slice(Math.max(0, offset - 100), offset));
  if (variable) {
    const names = new Set([...text.matchAll(/(?<!\$)\$\{([A-Za-z_]\w*)/g)].map(([, name]) => name ?? ""));
    names.delete(variable[1] ?? "");
    const from = offset - (variable[1] ?? "").length;
    const isClosed = text[offset] === "}";
    return listOf(
      from,
      offset,
      [...names].map((name) => item({ label: name, type: "variable", insert: isClosed ? name : `${name}}` })),
    );
  }
  const cursor = yamlCursor(text, offset);
  if (!cursor) return undefined;
  const { from, to, path, value } = cursor;
  if (cursor.part === "value") return listOf(from, to, valueItems(walk, path, value, around));
  const schemas = walk.at(path, value);
  const objects = schemas.filter(({ type, properties }) => type === "object" || properties);
  const lists = schemas.filter(({ items }) => items);
  const isOnlyWord = Object.keys(Object(valueAt(value, path))).length === 0;
  if (objects.length > 0) return listOf(from, to, keyItems(walk, objects, cursor, cursor.prefix));
  // The first line under "stages:", where no dash has been written.
  if (lists.length > 0 && isOnlyWord) {
    const items = lists.flatMap((list) => walk.items(list));
    const isOfMaps = items.some(({ properties }) => properties);
    return listOf(from, to, isOfMaps ? keyItems(walk, items, { ...cursor, path: [...path, 0] }, "- ") : []);
  }
  return isOnlyWord ? listOf(from, to, valueItems(walk, path, value, around)) : undefined;
}

const listOf = (from: number, to: number, items: readonly PipelineCompletion[]): CompletionList | undefined =>
  items.length > 0 ? { from, to, items } : undefined;

function item(own: Partial<PipelineCompletion> & Pick<PipelineCompletion, "label" | "type">): PipelineCompletion {
  const insert = own.insert ?? own.label;
  return { detail: "", info: "", caret: insert.length, goesOn: false, rank: 0, ...own, insert };
}

/** Keys of a map: those that it must have first, each in one spelling, without those that are there. */
function keyItems(walk: SchemaWalk, objects: readonly SchemaNode[], cursor: YamlCursor, prefix: string): PipelineCompletion[] {
  const there = new Set(Object.keys(Object(valueAt(cursor.value, cursor.path))).map(camelCase));
  // Which of several maps it will be, the key that they must have decides: the kind of a stage.
  const isOpen = objects.length > 1 && there.size === 0;
  const found = new Map<string, PipelineCompletion>();
  for (const schema of objects) {
    const needed = requiredKeys(schema);
    const keys = isOpen && schema.required ? schema.required : Object.keys(schema.properties ?? {});
    for (const key of keys) {
      const property = walk.property(schema, key);
      if (!property || there.has(camelCase(key)) || found.has(camelCase(key))) continue;
      const isKind = schema.title === `${key}: ${property.enum?.[0]}`;
      if (isKind && !isOpen && there.size > 0) continue;
      const limit = notHere({ option: key });
      const [insert, caret] = keyText(walk, key, property, cursor.hasColon);
      found.set(
        key,
        item({
          label: key,
          type: isKind ? "kind" : "option",
          detail: limit ? "not in a page" : isKind ? "stage" : needed.includes(key) ? "required" : typeText(walk, property),
          info: isKind ? `One of: ${namesOfKind(objects, key).join(", ")}.` : [limit, sentenceOf(property)].filter(Boolean).join("\n\n"),
          insert: prefix + insert,
          caret: prefix.length + caret,
          goesOn: isKind || valuesOf(walk.choices(property)).length > 0,
          rank: limit ? -2 : needed.includes(key) ? 2 : 0,
        }),
      );
    }
  }
  return [...found.values()];
}

function keyText(walk: SchemaWalk, key: string, property: SchemaNode, hasColon: boolean): [insert: string, caret: number] {
  if (hasColon) return [key, key.length];
  const choices = walk.choices(property);
  const isListOfTexts = choices.some(({ items }) => items) && !choices.some(({ type }) => type === "string" || type === "boolean");
  const hasMaps = choices.some((choice) => walk.items(choice).some(({ properties }) => properties));
  if (isListOfTexts && !hasMaps) return [`${key}: []`, key.length + 3];
  return hasMaps ? [`${key}:`, key.length + 1] : [`${key}: `, key.length + 2];
}

/** What a value can be: what the schema lists, names of this document and of the page. */
function valueItems(walk: SchemaWalk, path: readonly Step[], document: unknown, names: NamesAround): PipelineCompletion[] {
  const key = path.findLast((step) => typeof step === "string") ?? "";
  const isKind = path.length === 3 && path[0] === "stages" && STAGE_KINDS.some((kind) => kind === key);
  // Which options stand there says nothing of which stage is wanted now.
  const meant = isKind ? onlyKind(path, key) : document;
  const schemas = walk.at(path, meant);
  const owners = walk.at(path.slice(0, -1), meant);
  const items: PipelineCompletion[] = [];
  for (const schema of schemas) {
    const owner = owners.find((candidate) => candidate.title === `${key}: ${schema.enum?.[0]}`);
    if (owner) {
      const name = String(schema.enum?.[0]);
      const limit = notHere({ kind: key, name });
      const info = [limit, schema.description].filter(Boolean).join("\n\n");
      items.push(item({ label: name, type: "stage", detail: limit ? "not in a page" : key, info, rank: limit ? -2 : 0 }));
      continue;
    }
    for (const value of valuesOf([schema])) {
      const isDefault = JSON.stringify(value) === JSON.stringify(schema.default);
      items.push(
        item({
          label: plain(value),
          type: "value",
          detail: isDefault ? "default" : "",
          info: schema.description ?? "",
          rank: isDefault ? 1 : 0,
        }),
      );
    }
  }
  if (key === "from")
    items.push(...namedIn(document).map((name) => item({ label: name, type: "variable", detail: "named by a source (as)", rank: 1 })));
  if (/^(?:uri|path|like|url|adapter)$/.test(key) && (path.length > 3 || path[0] === "model" || owners.some(isReader))) {
    const isSink = owners.every(({ title }) => title?.startsWith("sink") ?? false) && owners.length > 0;
    if (!isSink)
      items.push(
        ...names.checkpoints.map((name) =>
          item({ label: name, type: "variable", detail: "open in this page", insert: quoted(name), rank: 1 }),
        ),
      );
  }
  return items;
}

/** A document in which the stage at a path has nothing but its kind. */
const onlyKind = ([, index]: readonly Step[], kind: string): unknown => ({
  stages: Array.from({ length: Number(index) + 1 }, () => ({ [kind]: null })),
});

const isReader = ({ title = "" }: SchemaNode): boolean => /^(?:source|check|modifier): /.test(title);

/** The values that a schema lists. */
function valuesOf(schemas: readonly SchemaNode[]): Json[] {
  return schemas.flatMap((schema): readonly Json[] => {
    if (schema.enum) return schema.enum;
    if (schema.const !== undefined) return [schema.const];
    if (schema.examples) return schema.examples;
    return schema.type === "boolean" ? [true, false] : [];
  });
}

const namesOfKind = (objects: readonly SchemaNode[], kind: string): string[] =>
  objects.flatMap(({ title = "" }) =>
    title.startsWith(`${kind}: `) && !notHere({ kind, name: title.slice(kind.length + 2) }) ? [title.slice(kind.length + 2)] : [],
  );

/** Names that sources of the document give their checkpoints. */
function namedIn(document: unknown): string[] {
  const stages = valueAt(document, ["stages"]);
  return (Array.isArray(stages) ? stages : []).flatMap((stage) => {
    const name = valueAt(stage, ["as"]);
    return typeof name === "string" && name !== "" ? [name] : [];
  });
}

/** The sentence of an option, with its default. */
export function sentenceOf({ description = "", default: standard }: SchemaNode): string {
  if (standard === undefined) return description;
  return `${description}${description ? ".\n\n" : ""}Default: ${typeof standard === "string" ? standard : JSON.stringify(standard)}`;
}

/** The type of an option in a word or two. */
export function typeText(walk: SchemaWalk, property: SchemaNode): string {
  const types = walk.choices(property).flatMap((choice) => {
    if (choice.enum || choice.const !== undefined) return ["one of a few"];
    if (choice.items) return ["list"];
    return choice.type === "object" ? ["map"] : choice.type === undefined ? [] : [choice.type];
  });
  return [...new Set(types)].join(" or ");
}

const camelCase = (key: string): string => key.replace(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
const plain = (value: Json): string => (typeof value === "string" ? quoted(value) : JSON.stringify(value));
/** Names that YAML would take for something else stand in quotes. */
const quoted = (text: string): string =>
  /^[\w$./@#-][^:#'"]*$|^[a-z][a-z0-9+.-]*:\/\/\S+$/i.test(text) && !/^(?:true|false|null|yes|no|on|off|[\d.+-]+)$/i.test(text)
    ? text
    : JSON.stringify(text);
