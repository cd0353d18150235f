import { type Catalog, ContextTrail, contextFromConfig, type PipelineConfig, pipelineFromConfig, stageSummary } from "@ckptkit/catalog";
import type { Finding, Json, Platform, Progress } from "@ckptkit/core";
import { type HealthReport, type Notice, type PipelineEvent, validatePipelineHealth } from "@ckptkit/core/pipeline";
import { toWire, type WireError } from "../errors.js";
import type { TaskOptions } from "../tasks.js";
import type { Outputs, RunOutput } from "./outputs.js";

export type { RunOutput } from "./outputs.js";

/** What happens while a pipeline runs, for the page. */
export type RunEvent = { readonly index: number } & (
  | { readonly type: "start" }
  | { readonly type: "progress"; readonly progress: Progress }
  | { readonly type: "notice"; readonly notice: Notice }
  | {
      readonly type: "end";
      readonly status: "completed" | "failed";
      readonly durationMs: number;
      /** What the stage did, in a few words. */
      readonly summary: string;
      readonly error: WireError | undefined;
    }
);

/** How a run ended. */
export interface RunResult {
  readonly durationMs: number;
  /** Why it did not reach its end. */
  readonly error: WireError | undefined;
  readonly outputs: readonly RunOutput[];
  readonly metadata: { readonly [key: string]: Json };
  readonly health: HealthReport | undefined;
  readonly findings: readonly Finding[];
}

/** Progress is passed on at the pace at which a screen can show it. */
const REPORT_EVERY_MS = 60;
const MAX_FINDINGS = 200;

/**
 * Runs a pipeline. A stage that fails is part of the result.
 *
 * @throws an AbortError when it was cancelled
 */
export async function runDraft(
  config: PipelineConfig,
  catalog: Catalog,
  platform: Platform,
  outputs: Outputs,
  onEvent: (event: RunEvent) => void,
  { signal }: TaskOptions,
): Promise<RunResult> {
  const trail = new ContextTrail();
  const pipeline = pipelineFromConfig(config, catalog, { onContext: (context) => trail.add(context) });
  const started = performance.now();
  let error: WireError | undefined;
  let reported = Number.NEGATIVE_INFINITY;
  const pass = (event: PipelineEvent): void => {
    if (event.type === "stage:progress") {
      if (performance.now() - reported < REPORT_EVERY_MS) return;
      reported = performance.now();
    }
    onEvent(toRunEvent(event, trail));
  };
  try {
    const first = await contextFromConfig(config, { platform, signal });
    trail.add(first);
    trail.add(await pipeline.execute(first, { signal, onEvent: pass }));
  } catch (thrown) {
    if (signal.aborted) throw thrown;
    error = toWire(thrown);
  } finally {
    await trail.close();
  }
  const { last } = trail;
  return {
    durationMs: performance.now() - started,
    error,
    outputs: outputs.written,
    metadata: last?.metadata ?? {},
    health: last && !error ? validatePipelineHealth(last, { raiseOnError: false }) : undefined,
    findings: trail.findings.slice(0, MAX_FINDINGS),
  };
}

function toRunEvent(event: PipelineEvent, { previous, last }: ContextTrail): RunEvent {
  const { index } = event;
  switch (event.type) {
    case "stage:start":
      return { index, type: "start" };
    case "stage:progress":
      return { index, type: "progress", progress: event.progress };
    case "stage:notice":
      return { index, type: "notice", notice: event.notice };
    case "stage:end": {
      const { status, durationMs, error } = event;
      const summary = last && !error ? stageSummary(event.kind, previous, last) : "";
      return { index, type: "end", status, durationMs, summary, error: error && toWire(error) };
    }
  }
}
