import type { PipelineConfig } from "@ckptkit/catalog";
import type { Platform } from "@ckptkit/core";
import { nodePlatform } from "@ckptkit/node";

/** The platform that a pipeline runs on, with its settings. */
export function platformFor({ cacheDir, maxRetries, timeout }: PipelineConfig, { overwrite }: { overwrite: boolean }): Platform {
  return nodePlatform({
    sink: { overwrite },
    ...(maxRetries !== undefined && { retry: { retries: maxRetries } }),
    ...(timeout !== undefined && { http: { timeoutMs: timeout * 1000 } }),
    ...(cacheDir !== undefined && { downloads: { folder: cacheDir } }),
  });
}
