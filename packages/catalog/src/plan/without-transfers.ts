import type { StageConfig, StageLike } from "@ckptkit/core/pipeline";
import type { Catalog } from "../catalog.js";
import type { PipelineConfig } from "../config/check.js";
import { camelCase } from "../config/node.js";

/** Options that make a source read the whole file: to copy it, or to verify it. */
const READS_ALL = new Set(["expectedChecksum", "cacheDir", "download"]);

/** Configuration whose sources open files by their headers, and the sources that would do more. */
export interface HeaderConfig {
  headers: PipelineConfig;
  /** Indices of the sources that a run would let read whole files. */
  verifies: ReadonlySet<number>;
}

/** A pipeline whose sources neither copy nor verify what they open. */
export function withoutTransfers(config: PipelineConfig, catalog: Catalog): HeaderConfig {
  const verifies = new Set<number>();
  const { cacheDir, ...settings } = config;
  const stages = config.stages.map((stage, index) => {
    if (isBuilt(stage)) return stage;
    const { entry } = catalog.resolve(stage);
    if (entry.kind !== "source" || !entry.schema || !Object.hasOwn(entry.schema.shape, "download")) return stage;
    const given = Object.entries(stage).filter(([key]) => READS_ALL.has(camelCase(key)));
    const wantsAll = given.some(([key, value]) => key !== "download" || value === "always") || cacheDir !== undefined;
    if (wantsAll) verifies.add(index);
    const rest = Object.entries(stage).filter(([key]) => !READS_ALL.has(camelCase(key)));
    return { ...Object.fromEntries(rest), download: "never" } satisfies StageConfig;
  });
  return { headers: { ...settings, stages }, verifies };
}

const isBuilt = (stage: StageConfig | StageLike): stage is StageLike => typeof stage.process === "function";
