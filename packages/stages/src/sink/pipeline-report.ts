import type { Finding, Json } from "@ckptkit/core";
import type { CheckpointContext } from "@ckptkit/core/pipeline";

/** One tensor of a report. */
export interface ReportTensor {
  name: string;
  dtype: string;
  shape: readonly number[];
  byteLength: number;
  /** For parameters of a model: whether it is trained. */
  requiresGrad?: boolean;
}

/** What `ReportSink` writes as JSON. */
export interface PipelineReport {
  checkpoint: { uri: string; format: string; layout: string; byteLength: number; tensorCount: number } | null;
  model: { tensorCount: number; parameterCount: number; trainableCount: number; byteLength: number; weightsInitialized: boolean } | null;
  /** Stages that have ended so far, in order. */
  stages: { index: number; name: string; status: string; durationMs: number | null }[];
  findings: readonly Finding[];
  metadata: { readonly [key: string]: Json };
  /** Of the model where weights have been loaded, else of the checkpoint. */
  tensors: ReportTensor[];
}

/** Gathers what a context holds. Reads nothing. */
export function reportOf(context: CheckpointContext): PipelineReport {
  const { checkpoint, model, metadata } = context;
  const weights = model ? [...model.stateDict()].map(([name, tensor]) => describe(name, tensor)) : [];
  const parameters = new Map(model?.namedParameters().map((parameter) => [parameter.name, parameter]));
  const ofModel = weights.map((tensor): ReportTensor => {
    const requiresGrad = parameters.get(tensor.name)?.requiresGrad;
    return requiresGrad === undefined ? tensor : { ...tensor, requiresGrad };
  });
  return {
    checkpoint: checkpoint
      ? {
          uri: checkpoint.uri,
          format: checkpoint.format,
          layout: checkpoint.layout,
          byteLength: checkpoint.byteLength,
          tensorCount: checkpoint.tensors.length,
        }
      : null,
    model: model
      ? {
          tensorCount: weights.length,
          parameterCount: parameters.size,
          trainableCount: [...parameters.values()].filter(({ requiresGrad }) => requiresGrad).length,
          byteLength: weights.reduce((sum, { byteLength }) => sum + byteLength, 0),
          weightsInitialized: model.weightsInitialized,
        }
      : null,
    stages: stagesOf(metadata),
    findings: checkpoint?.findings ?? [],
    metadata,
    tensors: model?.weightsInitialized ? ofModel : (checkpoint?.tensors ?? []).map((tensor) => describe(tensor.path, tensor)),
  };
}

function describe(name: string, { dtype, shape, byteLength }: Omit<ReportTensor, "name">): ReportTensor {
  return { name, dtype, shape, byteLength };
}

function stagesOf(metadata: { readonly [key: string]: Json }): PipelineReport["stages"] {
  return Object.entries(metadata).flatMap(([key, value]) => {
    const [, index, name] = /^stage_(\d+)_(.+)$/.exec(key) ?? [];
    if (index === undefined || name === undefined || typeof value !== "string") return [];
    const duration = metadata[`${key}_ms`];
    return [{ index: Number(index), name, status: value, durationMs: typeof duration === "number" ? duration : null }];
  });
}
