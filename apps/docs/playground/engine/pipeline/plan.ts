import { type Catalog, type LoaderFit, type PipelineConfig, type PlanStatus, planPipeline } from "@ckptkit/catalog";
import type { Platform } from "@ckptkit/core";
import type { Notice } from "@ckptkit/core/pipeline";
import { toWire, type WireError } from "../errors.js";
import type { TaskOptions } from "../tasks.js";

/** What one stage would do. */
export interface PlannedStep {
  readonly status: PlanStatus;
  readonly readsBytes: number;
  readonly writesBytes: number;
  /** Whether these are at most so many. */
  readonly isEstimate: boolean;
  readonly notes: readonly string[];
  readonly fit: LoaderFit | undefined;
  readonly error: WireError | undefined;
}

/** What a run would do. */
export interface PlannedPipeline {
  readonly steps: readonly PlannedStep[];
  readonly notices: readonly Notice[];
  readonly readsBytes: number;
  readonly writesBytes: number;
  /** Read to find this out. */
  readonly plannedBytes: number;
  readonly fits: boolean;
  /** Why it would fail at its end. */
  readonly error: WireError | undefined;
}

/** Names of one sort that cross to the page; it shows a few of them. */
const MAX_NAMES = 200;

/** Plans a pipeline, and gives the plan as plain data. */
export async function planDraft(
  config: PipelineConfig,
  catalog: Catalog,
  platform: Platform,
  { signal }: TaskOptions,
): Promise<PlannedPipeline> {
  const plan = await planPipeline(config, catalog, { platform, signal });
  const { notices, readsBytes, writesBytes, plannedBytes, fits, error } = plan;
  return {
    steps: plan.stages.map((stage) => ({
      status: stage.status,
      readsBytes: stage.readsBytes,
      writesBytes: stage.writesBytes,
      isEstimate: stage.isEstimate,
      notes: stage.notes,
      fit: stage.fit && shortened(stage.fit),
      error: stage.error && toWire(stage.error),
    })),
    notices,
    readsBytes,
    writesBytes,
    plannedBytes,
    fits,
    error: error && toWire(error),
  };
}

const shortened = (fit: LoaderFit): LoaderFit => ({
  ...fit,
  missingKeys: fit.missingKeys.slice(0, MAX_NAMES),
  unexpectedKeys: fit.unexpectedKeys.slice(0, MAX_NAMES),
  shapeMismatches: fit.shapeMismatches.slice(0, MAX_NAMES),
  dtypeMismatches: fit.dtypeMismatches.slice(0, MAX_NAMES),
  skipped: Object.fromEntries(Object.entries(fit.skipped).slice(0, MAX_NAMES)),
});
