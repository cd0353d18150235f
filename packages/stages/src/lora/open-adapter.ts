import { type Checkpoint, CheckpointLoadError, CheckpointNotFoundError, type Platform, type SignalOptions } from "@ckptkit/core";
import { openUri } from "@ckptkit/formats";

/** Bytes of an adapter_config.json at the most. Real ones have one to two thousand; with a pattern for every layer, some hundred thousand. */
const MOST_CONFIG_BYTES = 16 * 1024 * 1024;

/** What PEFT calls its files. @see peft/utils/constants.py */
const WEIGHTS_NAMES = ["adapter_model.safetensors", "adapter_model.bin"];
const CONFIG_NAME = "adapter_config.json";

/**
 * Opens the weights of an adapter: a file, or the folder that PEFT's `save_pretrained` has written.
 *
 * @throws {CheckpointNotFoundError} NOT_FOUND, and what `openUri` throws
 */
export async function openAdapter(platform: Platform, address: string, options: SignalOptions): Promise<Checkpoint> {
  if (isFile(address)) return openUri(platform, address, options);
  let missing: unknown;
  for (const name of WEIGHTS_NAMES) {
    try {
      return await openUri(platform, inFolder(address, name), options);
    } catch (error) {
      if (!(error instanceof CheckpointNotFoundError)) throw error;
      missing = error;
    }
  }
  throw new CheckpointNotFoundError("NOT_FOUND", `The adapter's folder holds neither ${WEIGHTS_NAMES.join(" nor ")}.`, {
    cause: missing,
    suggestions: ["Name the adapter's file itself, with its extension."],
  });
}

/**
 * Reads the adapter_config.json in an adapter's folder, or beside its file.
 *
 * @throws {CheckpointNotFoundError} NOT_FOUND
 * @throws {CheckpointLoadError} ADAPTER_CONFIG when it is not JSON; LIMIT_EXCEEDED
 */
export async function readAdapterConfig(platform: Platform, address: string, options: SignalOptions): Promise<unknown> {
  const source = await platform.open(isFile(address) ? beside(address, CONFIG_NAME) : inFolder(address, CONFIG_NAME), options);
  try {
    if (source.size > MOST_CONFIG_BYTES) {
      throw new CheckpointLoadError("LIMIT_EXCEEDED", `${source.name} has ${source.size} bytes; ${MOST_CONFIG_BYTES} are allowed.`, {
        details: { limit: "adapterConfigBytes", allowed: MOST_CONFIG_BYTES, found: source.size },
      });
    }
    const text = new TextDecoder().decode(await source.read(0, source.size, options));
    try {
      return JSON.parse(text);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new CheckpointLoadError("ADAPTER_CONFIG", `${source.name} is not JSON: ${why}.`, { cause });
    }
  } finally {
    await source.close?.();
  }
}

const isUrl = (address: string): boolean => /^[a-z][a-z0-9+.-]+:\/\//i.test(address);

/** Extensions of checkpoint files: an address that ends otherwise is a folder's. */
const isFile = (address: string): boolean =>
  /\.(safetensors|bin|pt|pth|ckpt|json)$/i.test(isUrl(address) ? new URL(address).pathname : address);

/** An address whose path is changed, and whose query (a signature, say) is kept. */
function withPath(address: string, change: (path: string) => string): string {
  if (!isUrl(address)) return change(address);
  const url = new URL(address);
  url.pathname = change(url.pathname);
  return url.href;
}

const inFolder = (address: string, name: string): string => withPath(address, (path) => (/[/\\]$/.test(path) ? path : `${path}/`) + name);

const beside = (address: string, name: string): string => withPath(address, (path) => path.replace(/[^/\\]*$/, "") + name);
