import type { ByteSource, Checkpoint } from "@ckptkit/core";
import { type OpenCheckpointOptions, openCheckpoint as openSource } from "@ckptkit/formats";
import { nodePlatform } from "./platform.js";

/** How to open a path or address. */
export interface OpenPathOptions extends OpenCheckpointOptions {
  /** Wraps every source that is opened, below any cache: to count reads, say. */
  wrapSource?: ((source: ByteSource) => ByteSource) | undefined;
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
export async function openCheckpoint(uri: string | URL, options: OpenPathOptions = {}): Promise<Checkpoint> {
  const platform = nodePlatform();
  const open = async (address: string): Promise<ByteSource> => {
    const source = await platform.open(address, options);
    return options.wrapSource?.(source) ?? source;
  };
  const address = String(uri);
  const checkpoint = await openSource(await open(address), { openSibling: (name) => open(siblingOf(address, name)), ...options });
  return checkpoint;
}

/** The address of a file beside another. */
function siblingOf(address: string, name: string): string {
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(address)) return new URL(name.split("/").map(encodeURIComponent).join("/"), address).href;
  return address.replace(/[^/\\]*$/, "") + name;
}
