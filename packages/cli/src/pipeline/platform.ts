import type { PipelineConfig } from "@ckptkit/catalog";
import type { Platform } from "@ckptkit/core";
import { type NodePlatformOptions, nodePlatform } from "@ckptkit/node";

/** The platform that a pipeline runs on, with its settings. */
export function platformFor(
  { cacheDir, maxRetries, timeout }: PipelineConfig,
  { overwrite, workers }: { overwrite: boolean; workers?: NodePlatformOptions["workers"] },
): Platform {
  return nodePlatform({
    sink: { overwrite },
    workers,
    ...(maxRetries !== undefined && { retry: { retries: maxRetries } }),
    ...(timeout !== undefined && { http: { timeoutMs: timeout * 1000 } }),
    ...(cacheDir !== undefined && { downloads: { folder: cacheDir } }),
  });
}
