import type { Notice } from "./context.js";
import { type StageKind, type StageLike, stageName } from "./stage.js";

/**
 * What looks wrong, or could be missing, in a list of stages. Nothing of it stops a pipeline.
 *
 * @example for (const { message } of checkComposition(stages)) console.warn(message);
 */
export function checkComposition(stages: readonly StageLike[]): Notice[] {
  if (stages.length === 0) return [{ level: "warning", message: "The pipeline has no stages: it gives back the context as it is." }];
  const places = (kind: StageKind): number[] => stages.flatMap((stage, index) => (stage.kind === kind ? [index] : []));
  const sources = places("source");
  const loaders = places("loader");
  const modifiers = places("modifier");
  const label = (index: number | undefined): string => {
    const stage = index === undefined ? undefined : stages[index];
    return stage ? `${stageName(stage)} (stage ${index})` : "";
  };
  const notices: Notice[] = [];
  const warn = (message: string): void => {
    notices.push({ level: "warning", message });
  };
  const suggest = (message: string): void => {
    notices.push({ level: "info", message });
  };

  const lateSource = sources.find((source) => loaders.some((loader) => loader < source));
  if (lateSource !== undefined)
    warn(`The source ${label(lateSource)} comes after the loader ${label(loaders[0])}, which will not see what it opens.`);
  const earlyModifier = modifiers.find((modifier) => loaders.some((loader) => loader > modifier));
  if (earlyModifier !== undefined)
    warn(`The modifier ${label(earlyModifier)} comes before the loader ${label(loaders.at(-1))}, which may undo what it does.`);
  for (const same of samePart(loaders, stages, "into"))
    warn(`The pipeline has ${same.length} loaders (${same.map(label).join(", ")}): they may conflict, the last one wins.`);
  for (const same of samePart(sources, stages, "as"))
    warn(`The pipeline has ${same.length} sources (${same.map(label).join(", ")}): they run one after another, the last one wins.`);
  if (loaders.length > 0 && sources.length === 0)
    suggest("The pipeline has a loader but no source: the context must bring the checkpoint.");
  if (sources.length > 0 && loaders.length === 0)
    suggest("The pipeline has a source but no loader: the checkpoint is opened, and no model is filled from it.");
  if (modifiers.length > 0 && sources.length === 0 && loaders.length === 0) {
    suggest("The pipeline has a modifier but neither source nor loader: it works on the model that the context brings.");
  }
  return notices;
}

/** Groups of stages that fill the same part of the context: those with other values of an option get into nobody's way. */
function samePart(places: readonly number[], stages: readonly StageLike[], option: string): number[][] {
  const groups = new Map<unknown, number[]>();
  for (const place of places) {
    const part = optionOf(stages[place], option);
    groups.set(part, [...(groups.get(part) ?? []), place]);
  }
  return [...groups.values()].filter((group) => group.length > 1);
}

function optionOf(stage: StageLike | undefined, option: string): unknown {
  if (!stage || !("options" in stage) || typeof stage.options !== "object" || stage.options === null) return undefined;
  return Object.entries(stage.options).find(([name]) => name === option)?.[1];
}
