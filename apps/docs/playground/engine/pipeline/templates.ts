import { type PipelineVariable, purposeOf, variablesOf } from "./draft.js";

/** A pipeline to begin with. */
export interface PipelineTemplate {
  /** `lightning-to-safetensors`. */
  readonly id: string;
  readonly text: string;
  /** What it is for, in a few sentences. */
  readonly purpose: string;
  readonly variables: readonly PipelineVariable[];
  /** What it needs besides the open checkpoint. */
  readonly needs: "nothing" | "another" | "value" | "bucket";
}

/** The templates of the catalog, which the command and the guides use too. */
const TEXTS = import.meta.glob<string>("../../../../../packages/catalog/templates/*.yaml", {
  query: "?raw",
  import: "default",
  eager: true,
});

/** The variable that the open checkpoint stands for. */
export const CHECKPOINT_VARIABLE = "CHECKPOINT";

/** All templates, those that run at once first. */
export function pipelineTemplates(): PipelineTemplate[] {
  const order: readonly PipelineTemplate["needs"][] = ["nothing", "value", "another", "bucket"];
  return Object.entries(TEXTS)
    .map(([path, text]) => templateOf(path.slice(path.lastIndexOf("/") + 1).replace(/\.yaml$/, ""), text))
    .sort((a, b) => order.indexOf(a.needs) - order.indexOf(b.needs) || (a.id < b.id ? -1 : 1));
}

function templateOf(id: string, text: string): PipelineTemplate {
  const variables = variablesOf(text);
  const needed = variables.filter(({ name, fallback }) => fallback === undefined && name !== CHECKPOINT_VARIABLE);
  const needs = /source: s3\b/.test(text)
    ? "bucket"
    : needed.some(({ about }) => /checkpoint|adapter/i.test(about))
      ? "another"
      : needed.length > 0
        ? "value"
        : "nothing";
  return { id, text, purpose: purposeOf(text), variables, needs };
}
