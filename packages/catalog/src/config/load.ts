import { CheckpointConfigError, type Json } from "@ckptkit/core";
import type { StageConfig } from "@ckptkit/core/pipeline";
import type { z } from "zod";
import type { Catalog } from "../catalog.js";
import { type ConfigDocument, type ConfigPath, type ConfigPlace, parseConfigDocument, showIssue } from "./document.js";
import { interpolate } from "./interpolate.js";
import { applyOverride, mergeConfig, type Override } from "./override.js";
import { type PipelineSettings, settingsSchema } from "./settings.js";

/** A pipeline's configuration, checked. */
export interface PipelineConfig extends PipelineSettings {
  stages: StageConfig[];
}

/** Where configuration comes from and what goes into it. */
export interface LoadConfigOptions {
  /** Reads a file that `extends` names, relative to the one that names it; gives its text and its own name. */
  readRelative?: ((name: string, from: string) => Promise<{ text: string; file: string }>) | undefined;
  /** Looks environment variables up; nothing is put in when left out. */
  environment?: ((name: string) => string | undefined) | undefined;
  /** Values set from the command line. They win. */
  overrides?: readonly Override[] | undefined;
}

/** One defect of a configuration. */
export interface ConfigIssue extends ConfigPlace {
  path: string;
  message: string;
}

/** Files that may extend one another before it is called a circle. */
const EXTENDS_DEPTH = 16;

/**
 * Reads a pipeline's configuration from YAML or JSON text: what it extends, environment variables, overrides; and checks all
 * of it against the catalog.
 *
 * @throws {CheckpointConfigError} CONFIG_SYNTAX, CONFIG_VARIABLE; CONFIG_INVALID listing every defect with file, line and column
 * @example const config = await loadConfig(text, "pipeline.yaml", await Catalog.load());
 */
export async function loadConfig(text: string, file: string, catalog: Catalog, options: LoadConfigOptions = {}): Promise<PipelineConfig> {
  const documents = await collectDocuments(parseConfigDocument(text, file), options, 0);
  let value: Json = {};
  for (const document of documents) value = mergeConfig(value, withoutExtends(document.value));
  if (options.environment) value = interpolate(value, options.environment);
  for (const override of options.overrides ?? []) value = applyOverride(value, override);
  return checkConfig(value as { readonly [key: string]: Json }, catalog, documents); // merging and overriding keep the root a map
}

/**
 * Checks configuration that is there as a value: that of a TypeScript file, say.
 *
 * @throws {CheckpointConfigError} CONFIG_INVALID listing every defect
 */
export function checkConfig(
  value: { readonly [key: string]: Json },
  catalog: Catalog,
  documents: readonly ConfigDocument[] = [],
): PipelineConfig {
  const { stages, extends: _extends, $schema: _schema, ...settings } = value;
  const issues: ConfigIssue[] = [];
  const report = (path: ConfigPath, message: string): void => {
    issues.push({
      ...placeOf(path, documents),
      path: showPath(path),
      message: `${path.length > 0 ? `${showPath(path)}: ` : ""}${message}`,
    });
  };
  const checked = settingsSchema.safeParse(settings);
  if (!checked.success) for (const { path, message } of flatten(checked.error.issues)) report(path, message);
  if (!Array.isArray(stages)) report(stages === undefined ? [] : ["stages"], 'a list "stages" was expected');
  const list = Array.isArray(stages) ? (stages as readonly Json[]) : [];
  for (const [index, stage] of list.entries()) checkStage(stage, ["stages", index], catalog, report);
  if (issues.length > 0 || !checked.success) {
    const first = issues[0]?.file ?? "The configuration";
    throw new CheckpointConfigError(
      "CONFIG_INVALID",
      `${first} has ${issues.length} ${issues.length === 1 ? "defect" : "defects"}:\n${issues.map(showIssue).join("\n")}`,
      {
        details: { issues },
        suggestions: ["See the stages with: ckpt catalog", "Let an editor check as you type, with the schema that ckpt schema prints."],
      },
    );
  }
  return { ...checked.data, stages: list as StageConfig[] }; // each was checked above
}

async function collectDocuments(document: ConfigDocument, options: LoadConfigOptions, depth: number): Promise<ConfigDocument[]> {
  const { extends: bases } = document.value;
  const names = bases === undefined ? [] : Array.isArray(bases) ? (bases as readonly Json[]) : [bases];
  const documents: ConfigDocument[] = [];
  for (const name of names) {
    if (typeof name !== "string" || !options.readRelative || depth >= EXTENDS_DEPTH) {
      const { place } = document.locate(["extends"]);
      const why =
        depth >= EXTENDS_DEPTH
          ? `more than ${EXTENDS_DEPTH} files extend one another: they may go in a circle`
          : typeof name !== "string"
            ? "a file name was expected"
            : "files cannot be read from here";
      throw new CheckpointConfigError(
        "CONFIG_INVALID",
        `${document.file} cannot be extended:\n${showIssue({ ...place, message: `extends: ${why}` })}`,
        { details: { issues: [{ ...place, path: "extends", message: why }] } },
      );
    }
    const { text, file } = await options.readRelative(name, document.file);
    documents.push(...(await collectDocuments(parseConfigDocument(text, file), options, depth + 1)));
  }
  return [...documents, document];
}

function withoutExtends({ extends: _, ...rest }: { readonly [key: string]: Json }): Json {
  return rest;
}

function checkStage(stage: Json, path: ConfigPath, catalog: Catalog, report: (path: ConfigPath, message: string) => void): void {
  if (typeof stage !== "object" || stage === null || Array.isArray(stage)) {
    report(path, "a stage was expected, for example: - source: local");
    return;
  }
  const config = stage as StageConfig; // neither null nor a list
  try {
    const { entry, options } = catalog.resolve(config);
    new entry.stage(options);
  } catch (error) {
    if (!(error instanceof CheckpointConfigError)) throw error;
    const { problems } = error.details;
    if (!Array.isArray(problems)) {
      report([...path, ...Object.keys(config).slice(0, 1)], error.message);
      return;
    }
    // What parseOptions of @ckptkit/stages found, option by option.
    for (const problem of problems as { path: string; expected: string; found: string }[]) {
      const steps = problem.path.split(".").filter(Boolean);
      report(
        [...path, ...steps.map((step) => (/^\d+$/.test(step) ? Number(step) : step))],
        `expected ${problem.expected}, found ${problem.found}`,
      );
    }
  }
}

/** Where a path stands: in the last of the files that say anything of it. */
function placeOf(path: ConfigPath, documents: readonly ConfigDocument[]): ConfigPlace {
  let best: { place: ConfigPlace; depth: number } | undefined;
  for (const document of documents) {
    const found = document.locate(path);
    if (!best || found.depth >= best.depth) best = found;
  }
  return best?.place ?? { file: "configuration", line: 1, column: 1 };
}

const showPath = (path: ConfigPath): string =>
  path.map((step, index) => (typeof step === "number" ? `[${step}]` : `${index > 0 ? "." : ""}${step}`)).join("");

/** Issues of zod, those of a union's branches left out. */
function flatten(issues: readonly z.core.$ZodIssue[]): { path: ConfigPath; message: string }[] {
  return issues.map(({ path, message }) => ({ path: path.map((step) => (typeof step === "symbol" ? String(step) : step)), message }));
}
