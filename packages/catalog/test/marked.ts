import { CheckpointConfigError } from "@ckptkit/core";
import { Catalog, type ConfigIssue, type LoadConfigOptions, loadConfig, type PipelineConfig } from "../src/index.js";
import * as sample from "./sample-stages.js";

/** Stands in a text before the character at which a defect is to be reported. */
const MARK = "▲";

/** A text without its marks, and the places where they stood, counted from 1. */
export function unmark(marked: string): { text: string; places: string[] } {
  const places: string[] = [];
  const lines = marked.split("\n").map((line, index) => {
    const parts = line.split(MARK);
    let column = 1;
    for (const part of parts.slice(0, -1)) {
      column += part.length;
      places.push(`${index + 1}:${column}`);
    }
    return parts.join("");
  });
  return { text: lines.join("\n"), places };
}

export const catalog: Promise<Catalog> = Catalog.load([{ name: "sample", load: async () => sample }]);

export const load = async (text: string, options?: LoadConfigOptions, file = "pipeline.yaml"): Promise<PipelineConfig> =>
  loadConfig({ text, file }, await catalog, options);

/** What loading refuses: the code, every issue, and their places as `line:column`. */
export async function refused(
  work: Promise<unknown>,
): Promise<{ error: CheckpointConfigError; code: string; issues: ConfigIssue[]; places: string[]; messages: string[] }> {
  const error: unknown = await work.then(
    (value) => new Error(`Nothing was refused: ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  if (!(error instanceof CheckpointConfigError)) throw error;
  const issues = (error.details.issues ?? []) as ConfigIssue[]; // what configError puts there
  return {
    error,
    code: error.code,
    issues,
    places: issues.map(({ line, column }) => `${line}:${column}`),
    messages: issues.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`)),
  };
}
