import { CheckpointValidationError } from "../errors.js";
import type { Json } from "../json.js";
import type { CheckpointContext } from "./context.js";
import type { StageLike } from "./stage.js";

/** What a check before or after a run found. */
export interface HealthReport {
  status: "ok" | "warning" | "error";
  issues: string[];
  warnings: string[];
  info: { [key: string]: Json };
}

const report = (issues: string[], warnings: string[], info: { [key: string]: Json }): HealthReport => ({
  status: issues.length > 0 ? "error" : warnings.length > 0 ? "warning" : "ok",
  issues,
  warnings,
  info,
});

/** A module of one empty function that uses a 128-bit constant: valid only where WebAssembly SIMD is. */
const SIMD_PROBE = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
]);

/** Looks at what this JavaScript engine offers, before a run. */
export function checkEnvironment(): HealthReport {
  const issues: string[] = [];
  const warnings: string[] = [];
  const wasm = typeof WebAssembly === "object" && WebAssembly.validate(SIMD_PROBE);
  if (!wasm) warnings.push("WebAssembly SIMD is not available: scans and checksums run in plain JavaScript, several times slower.");
  for (const name of ["fetch", "DecompressionStream"] as const) {
    if (typeof globalThis[name] === "undefined") issues.push(`This engine has no ${name}.`);
  }
  const runtime = typeof navigator === "object" ? navigator.userAgent : "unknown";
  return report(issues, warnings, { runtime, wasmSimd: wasm });
}

/** Looks at a context and the stages that are to run on it. */
export function checkConfiguration(context: CheckpointContext, stages: readonly StageLike[]): HealthReport {
  const warnings = context.notices.filter(({ level }) => level === "warning").map(({ message }) => message);
  const kinds = stages.map(({ kind }) => kind);
  if (kinds.includes("source") && !context.platform)
    warnings.push("The pipeline has a source, but the context has no platform to open addresses with.");
  if (kinds.includes("modifier") && !context.model) warnings.push("The pipeline has a modifier, but the context has no model.");
  return report([], warnings, { stages: stages.length, hasModel: context.model !== undefined });
}

/**
 * Looks at a context after a run: every stage completed, a model that a source was meant for is filled, no error was found
 * before the run, and the parts fit together.
 *
 * @throws {CheckpointValidationError} PIPELINE_UNHEALTHY listing every issue, when `raiseOnError`
 * @example const { status } = validatePipelineHealth(context, { raiseOnError: false });
 */
export function validatePipelineHealth(context: CheckpointContext, { raiseOnError = true }: { raiseOnError?: boolean } = {}): HealthReport {
  const issues: string[] = [];
  const { metadata, model } = context;
  for (const [key, value] of Object.entries(metadata)) {
    if (/^stage_\d+_/.test(key) && typeof value === "string" && value.startsWith("failed")) issues.push(`${key} ${value}`);
  }
  for (const check of ["environment", "config"]) {
    if (metadata[`validation_${check}_status`] === "error") issues.push(`The check of the ${check} before the run found an error.`);
  }
  const sourceRan = metadata.source_type !== undefined;
  if (sourceRan && model && !model.weightsInitialized) issues.push("A source ran, but the model's weights were never loaded.");
  if (sourceRan && !context.hasCheckpointData && context.checkpoints.size === 0)
    issues.push("A source ran, but the context has no checkpoint.");
  const warnings = context.notices.filter(({ level }) => level === "warning").map(({ message }) => message);
  const health = report(issues, warnings, { hasModel: model !== undefined, hasCheckpoint: context.hasCheckpointData });
  if (raiseOnError && issues.length > 0) {
    throw new CheckpointValidationError("PIPELINE_UNHEALTHY", `The pipeline did not end well: ${issues.join(" ")}`, {
      details: { issues },
    });
  }
  return health;
}
