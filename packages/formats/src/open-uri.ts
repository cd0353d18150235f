import type { ByteSource, Checkpoint, Platform } from "@ckptkit/core";
import { type OpenCheckpointOptions, openCheckpoint } from "./open-checkpoint.js";

/** How to open an address. */
export interface OpenUriOptions extends OpenCheckpointOptions {
  /** Wraps every source that is opened, below any cache: to count reads, say. */
  wrapSource?: ((source: ByteSource) => ByteSource) | undefined;
}

/**
 * Opens the checkpoint at a path or address that a platform reaches. The shards of a sharded checkpoint are opened beside
 * its index.
 *
 * @throws {CheckpointNotFoundError} NOT_FOUND, and what {@link openCheckpoint} throws
 * @example const checkpoint = await openUri(nodePlatform(), "model.safetensors.index.json");
 */
export async function openUri(platform: Platform, uri: string, options: OpenUriOptions = {}): Promise<Checkpoint> {
  const open = async (address: string): Promise<ByteSource> => {
    const source = await platform.open(address, options);
    return options.wrapSource?.(source) ?? source;
  };
  return openCheckpoint(await open(uri), { openSibling: (name) => open(siblingOf(uri, name)), ...options });
}

/** The address of a file beside another. */
function siblingOf(address: string, name: string): string {
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(address)) return new URL(name.split("/").map(encodeURIComponent).join("/"), address).href;
  return address.replace(/[^/\\]*$/, "") + name;
}
