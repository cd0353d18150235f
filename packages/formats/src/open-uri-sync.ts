import type { ByteSource, Checkpoint } from "@ckptkit/core";
import { openCheckpointSync } from "./open-checkpoint-sync.js";
import { type OpenUriOptions, siblingAddress } from "./open-uri.js";

/**
 * Opens as `openUri` does, without waiting, for files of this machine.
 *
 * @throws {CheckpointConfigError} STAGE_ASYNC_ONLY where that cannot be, and what `openUri` throws
 * @example const checkpoint = openUriSync({ openSync: fileSourceSync }, "model.safetensors");
 */
export function openUriSync(platform: { openSync(uri: string): ByteSource }, uri: string, options: OpenUriOptions = {}): Checkpoint {
  const open = (address: string): ByteSource => {
    const source = platform.openSync(address);
    return options.wrapSource?.(source) ?? source;
  };
  const source = open(uri);
  const { address = uri } = source;
  return openCheckpointSync(source, { openSiblingSync: (name) => open(siblingAddress(address, name)), ...options });
}
