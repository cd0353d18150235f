import { type StageLike, stageName } from "@ckptkit/core/pipeline";
import type { Catalog } from "../catalog.js";
import type { PipelineConfig } from "../config/check.js";

/** How a stage is called in what people read: by its kind and its name in configuration. */
export interface StageLabel {
  readonly kind: string;
  readonly name: string;
}

/**
 * The labels of a pipeline's stages.
 *
 * @example stageLabels(config, catalog) // [{ kind: "source", name: "uri" }, { kind: "check", name: "finite" }]
 */
export function stageLabels({ stages }: PipelineConfig, catalog: Catalog): StageLabel[] {
  return stages.map((stage) => {
    if (isBuilt(stage)) return { name: stageName(stage), kind: stage.kind ?? "stage" };
    const { kind, name } = catalog.resolve(stage).entry;
    return { name, kind };
  });
}

const isBuilt = (stage: PipelineConfig["stages"][number]): stage is StageLike => typeof stage.process === "function";

/** `source s3`. */
export const labelText = ({ kind, name }: StageLabel): string => `${kind} ${name}`;
