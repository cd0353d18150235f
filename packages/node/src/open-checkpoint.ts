import type { Checkpoint, Platform } from "@ckptkit/core";
import { type OpenUriOptions, openUri } from "@ckptkit/formats";
import { nodePlatform } from "./node-platform.js";

/** How to open a path or address. */
export interface OpenPathOptions extends OpenUriOptions {
  /** The platform to open it with: one with headers or other retries than the default, say. */
  platform?: Platform | undefined;
}

/**
 * Opens a checkpoint by its path, `file:` URL or HTTP address. Reads the description only; sharded checkpoints are opened
 * by their index, with the shards beside it.
 *
 * @throws {CheckpointNotFoundError} NOT_FOUND
 * @throws {CheckpointLoadError} when the bytes are not a readable checkpoint
 * @example
 * const checkpoint = await openCheckpoint("model.ckpt");
 * console.log(checkpoint.layout, checkpoint.metadata.epoch);
 * await checkpoint.close();
 */
export function openCheckpoint(uri: string | URL, { platform = nodePlatform(), ...options }: OpenPathOptions = {}): Promise<Checkpoint> {
  return openUri(platform, String(uri), options);
}
