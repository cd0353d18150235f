import { type Catalog, type ConfigIssue, loadConfig, type PipelineConfig, showIssue } from "@ckptkit/catalog";
import { CheckpointError } from "@ckptkit/core";
import { checkComposition, type Notice } from "@ckptkit/core/pipeline";
import { toWire, type WireError } from "../errors.js";
import { filledIn, type PipelineDraft, type PipelineVariable, variablesOf } from "./draft.js";
import { type StageSketch, sketchOf } from "./sketch.js";

/** Something that is wrong at a place of the text. */
export interface PipelineProblem {
  readonly severity: "error" | "warning";
  /** [from, to) in the text. */
  readonly from: number;
  readonly to: number;
  readonly line: number;
  readonly column: number;
  readonly message: string;
  /** The line that the command prints for it: `pipeline.yaml:3:12  stages[0].path: expected a string, found 5`. */
  readonly text: string;
  /** What was probably meant there. */
  readonly meant?: string | undefined;
}

/** What is known of a draft without opening anything. */
export interface CheckedPipeline {
  readonly problems: readonly PipelineProblem[];
  /** What to try, beside what the problems say. */
  readonly suggestions: readonly string[];
  /** Why nothing can be said of any place. */
  readonly error: WireError | undefined;
  readonly variables: readonly PipelineVariable[];
  /** Variables that have no value yet. */
  readonly missing: readonly string[];
  readonly stages: readonly StageSketch[];
  /** What looks wrong in the order of the stages. */
  readonly notices: readonly Notice[];
  /** Whether it can be planned and run. */
  readonly isReady: boolean;
}

/** Stands for a variable that has no value yet, so that the rest can be checked. */
const STAND_IN = "stand-in.safetensors";

/**
 * Checks a draft as `ckpt run` would, and places every defect in the text. Variables without a value are told, and everything else is
 * checked all the same.
 */
export async function checkPipeline(draft: PipelineDraft, catalog: Catalog): Promise<CheckedPipeline> {
  const { text } = draft;
  const variables = variablesOf(text);
  const sketch = sketchOf(text, (part) => filledIn(part, draft.variables));
  const first = await load(draft, catalog, () => undefined);
  let { issues, suggestions } = first;
  let missing: string[] = [];
  if (first.code === "CONFIG_VARIABLE") {
    missing = variables.filter(({ name, fallback }) => fallback === undefined && !draft.variables[name]).map(({ name }) => name);
    const unset = issues;
    const rest = await load(draft, catalog, (name) => (missing.includes(name) ? STAND_IN : undefined));
    issues = [...unset, ...rest.issues.filter((issue) => !isOfStandIn(issue, unset))];
    suggestions = [...new Set([...suggestions, ...rest.suggestions])];
  }
  const limits = sketch.limits.map(({ from, to, message }): PipelineProblem => {
    const { line, column } = placeOf(text, from);
    return { severity: "warning", from, to, line, column, message, text: `${draft.file}:${line}:${column}  ${message}` };
  });
  return {
    problems: [...issues.map((issue) => problemOf(issue, text, first.code === "CONFIG_VARIABLE")), ...limits].sort(
      (a, b) => a.from - b.from,
    ),
    suggestions,
    error: first.error,
    variables,
    missing,
    stages: sketch.stages,
    notices: first.config ? checkComposition(first.config.stages.map((stage) => buildable(stage, catalog))) : [],
    isReady: first.config !== undefined,
  };
}

/**
 * The configuration of a draft.
 *
 * @throws {CheckpointConfigError} CONFIG_SYNTAX, CONFIG_VARIABLE, CONFIG_INVALID
 */
export const configOf = ({ text, file, variables }: PipelineDraft, catalog: Catalog): Promise<PipelineConfig> =>
  loadConfig({ text, file }, catalog, { environment: (name) => variables[name] });

interface Loaded {
  config?: PipelineConfig;
  code?: string;
  issues: readonly ConfigIssue[];
  suggestions: readonly string[];
  error: WireError | undefined;
}

async function load(draft: PipelineDraft, catalog: Catalog, standIn: (name: string) => string | undefined): Promise<Loaded> {
  const { text, file, variables } = draft;
  try {
    const config = await loadConfig({ text, file }, catalog, { environment: (name) => variables[name] || standIn(name) });
    return { config, issues: [], suggestions: [], error: undefined };
  } catch (error) {
    const found = error instanceof CheckpointError ? error.details.issues : undefined;
    const { code, suggestions } = toWire(error);
    // The catalog's errors of configuration hold the list of defects.
    if (Array.isArray(found)) return { code, issues: found as readonly ConfigIssue[], suggestions, error: undefined };
    return { code, issues: [], suggestions, error: toWire(error) };
  }
}

const buildable = (stage: PipelineConfig["stages"][number], catalog: Catalog) =>
  typeof stage.process === "function" ? (stage as ReturnType<Catalog["build"]>) : catalog.build(stage as Parameters<Catalog["build"]>[0]); // only programs give instances

/** Whether a defect is one of the value that stands in for a variable, or of the stage that wants another. */
function isOfStandIn({ path, line, column }: ConfigIssue, unset: readonly ConfigIssue[]): boolean {
  return unset.some(
    (variable) => (variable.line === line && variable.column === column) || /^stages\[\d+\]/.exec(variable.path)?.[0] === path,
  );
}

function problemOf(issue: ConfigIssue, text: string, areVariables: boolean): PipelineProblem {
  const { line = 1, column = 1, path, message } = issue;
  const from = offsetOf(text, line, column);
  const isUnset = areVariables && message.startsWith("the environment variable");
  return {
    severity: isUnset ? "warning" : "error",
    from,
    to: from + tokenLength(text.slice(from, lineEnd(text, from))),
    line,
    column,
    message: `${path === "" ? "" : `${path}: `}${message}`,
    text: showIssue(issue).trim(),
    meant: /Did you mean "([\w./#@-]+)"\?/.exec(message)?.[1],
  };
}

const lineEnd = (text: string, from: number): number => {
  const end = text.indexOf("\n", from);
  return end < 0 ? text.length : end;
};

/** The length of the key, word or quoted text that a line begins with; 0 at its end. */
export function tokenLength(line: string): number {
  const quoted = /^(["'])(?:(?!\1).)*\1/.exec(line)?.[0];
  return (quoted ?? /^(?:[^\s,[\]{}#:]|:(?=\S)|\s(?=[^\s#]))+/.exec(line)?.[0] ?? line.slice(0, 1)).length;
}

function offsetOf(text: string, line: number, column: number): number {
  let start = 0;
  for (let at = 1; at < line; at++) {
    const next = text.indexOf("\n", start);
    if (next < 0) break;
    start = next + 1;
  }
  return Math.min(text.length, start + column - 1);
}

function placeOf(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset).split("\n");
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}
