import { CheckpointConfigError } from "@ckptkit/core";
import * as z from "zod";

/**
 * Checks the options of a stage. Names may also be written in snake_case (`skip_mismatched` for `skipMismatched`), as the
 * configuration of Python programs has them.
 *
 * @param stage the class's name, for messages.
 * @throws {CheckpointConfigError} INVALID_ARGUMENT with every problem: the option's path, what was expected and what was found
 * @example this.options = parseOptions(options, input, "WeightsOnlyLoader");
 */
export function parseOptions<S extends z.ZodType>(schema: S, input: z.input<S>, stage: string): z.output<S> {
  const problems: OptionProblem[] = [];
  const result = schema.safeParse(camelCaseKeys(schema, input, [], problems), { reportInput: true });
  if (result.success && problems.length === 0) return result.data;
  if (!result.success) problems.push(...result.error.issues.flatMap((issue) => describeIssue(issue, schema)));
  throw new CheckpointConfigError(
    "INVALID_ARGUMENT",
    `The options of ${stage} cannot be used: ${problems.map(({ message }) => message).join(" ")}`,
    {
      details: { stage, problems: problems.map(({ path, expected, found }) => ({ path, expected, found })) },
      suggestions: [...new Set(problems.flatMap(({ suggestion }) => (suggestion === undefined ? [] : [suggestion])))],
    },
  );
}

interface OptionProblem {
  /** `migrations.0.rename`; '' is the options as a whole. */
  path: string;
  expected: string;
  /** Never the text of a string that may hold a credential. */
  found: string;
  message: string;
  suggestion?: string | undefined;
}

type Issue = z.core.$ZodIssue;

const where = (path: readonly PropertyKey[]): string => path.map(String).join(".");

function describeIssue(issue: Issue, schema: z.ZodType): OptionProblem[] {
  const path = where(issue.path);
  if (issue.code === "unrecognized_keys") {
    const known = keysAt(schema, issue.path);
    return issue.keys.map((key) => ({
      path: where([...issue.path, key]),
      expected: `one of ${known.join(", ")}`,
      found: key,
      message: `There is no option "${where([...issue.path, key])}".`,
      suggestion: known.length > 0 ? `Options are: ${known.join(", ")}.` : "It takes no options.",
    }));
  }
  // A union tells why each of its forms did not fit: the form that came furthest is the one that was meant.
  if (issue.code === "invalid_union" && issue.errors.length > 0) {
    const furthest = [...issue.errors].sort((a, b) => depthOf(b) - depthOf(a))[0] ?? [];
    if (depthOf(furthest) > 0) {
      return furthest.flatMap((inner) => describeIssue({ ...inner, path: [...issue.path, ...inner.path] }, schema));
    }
  }
  const found = describeFound(issue);
  const expected = issue.code === "invalid_type" ? article(issue.expected) : issue.message.replace(/^Invalid input: (?:expected )?/, "");
  return [{ path, expected, found, message: `"${path || "options"}": expected ${expected}, found ${found}.` }];
}

const depthOf = (issues: readonly Issue[]): number => Math.max(0, ...issues.map(({ path }) => path.length));

const article = (noun: string): string => `${/^[aeiou]/i.test(noun) ? "an" : "a"} ${noun}`;

/** What stood there. Strings are shown where the schema lists what they may be, and so cannot be secrets. */
function describeFound(issue: Issue): string {
  const { input } = issue;
  if (input === undefined) return "nothing";
  if (input === null || typeof input === "number" || typeof input === "boolean") return String(input);
  if (typeof input === "string") {
    if (input === "") return "an empty string";
    return issue.code === "invalid_value" && input.length <= 40 ? JSON.stringify(input) : "a string";
  }
  return Array.isArray(input) ? "an array" : article(typeof input);
}

/** The schema itself, without optional, default and similar wrappers around it. */
function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  let inner = schema;
  for (;;) {
    if (
      inner instanceof z.ZodOptional ||
      inner instanceof z.ZodDefault ||
      inner instanceof z.ZodNullable ||
      inner instanceof z.ZodReadonly ||
      inner instanceof z.ZodPrefault
    )
      inner = inner.unwrap();
    else if (inner instanceof z.ZodPipe) inner = inner.def.in;
    else return inner;
  }
}

/** The objects that a value may be by a schema: one, or several for a union. */
function objectsOf(schema: z.core.$ZodType): z.ZodObject[] {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodObject) return [inner];
  return inner instanceof z.ZodUnion ? inner.options.flatMap(objectsOf) : [];
}

function memberOf(schema: z.core.$ZodType, key: PropertyKey): z.core.$ZodType[] {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodUnion) return inner.options.flatMap((option) => memberOf(option, key));
  if (inner instanceof z.ZodArray) return [inner.element];
  if (inner instanceof z.ZodObject) {
    const shape: Record<string, z.core.$ZodType> = inner.shape;
    const member = Object.hasOwn(shape, key) ? shape[String(key)] : undefined;
    return member ? [member] : [];
  }
  return [];
}

function keysAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  let schemas = [schema];
  for (const key of path) schemas = schemas.flatMap((member) => memberOf(member, key));
  return [...new Set(schemas.flatMap(objectsOf).flatMap((object) => Object.keys(object.shape)))];
}

const toCamelCase = (key: string): string => key.replace(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** The input with known names in camelCase, at every depth that the schema describes. Maps of free keys stay as they are. */
function camelCaseKeys(schema: z.core.$ZodType, input: unknown, path: readonly PropertyKey[], problems: OptionProblem[]): unknown {
  if (Array.isArray(input)) {
    const elements = memberOf(schema, 0);
    const element = elements.length === 1 ? elements[0] : undefined;
    return element ? input.map((item, index) => camelCaseKeys(element, item, [...path, index], problems)) : input;
  }
  if (!isPlainObject(input)) return input;
  const objects = objectsOf(schema);
  if (objects.length === 0) return input;
  const result: [string, unknown][] = [];
  for (const [given, value] of Object.entries(input)) {
    const camel = toCamelCase(given);
    const isKnown = (key: string): boolean => objects.some(({ shape }) => Object.hasOwn(shape, key));
    const key = !isKnown(given) && isKnown(camel) ? camel : given;
    if (key !== given && Object.hasOwn(input, key)) {
      const at = where([...path, given]);
      problems.push({ path: at, expected: "one name", found: "two", message: `"${at}" and "${key}" are the same option, given twice.` });
    }
    const members = objects.flatMap((object) => memberOf(object, key));
    result.push([key, members[0] ? camelCaseKeys(members[0], value, [...path, key], problems) : value]);
  }
  return Object.fromEntries(result);
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
