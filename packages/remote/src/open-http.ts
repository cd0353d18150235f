import { type ByteSource, CheckpointError, type FetchLike, httpFile, httpSource, type RemoteFile, retrySource } from "@ckptkit/core";
import { downloadToMemory } from "./download-to-memory.js";
import type { RemoteHost, TransferOptions } from "./remote-options.js";
import { retrying } from "./retrying.js";
import { verifySource } from "./verify-source.js";

/** How {@link openHttp} reads. */
export interface HttpOpenOptions extends TransferOptions {
  /** Makes the requests instead of the host's `fetch`: one that signs, say. */
  fetch?: FetchLike | undefined;
  /** What people hear of the file; its address without query and credentials when left out. */
  name?: string | undefined;
  /** Bytes, where something else than the answer has told. */
  size?: number | undefined;
}

/**
 * Opens a file on a web server, by ranges where the server knows them and as a copy where it does not, or where one is wanted. Requests
 * that fail for a while are repeated.
 *
 * @throws {CheckpointNotFoundError} NOT_FOUND
 * @throws {CheckpointIntegrityError} CHECKSUM_MISMATCH
 * @throws {CheckpointTimeoutError} TIMEOUT
 * @throws {CheckpointSourceError} HTTP_RANGE_NOT_SUPPORTED when nothing may be downloaded, and what `httpSource` throws
 * @example const source = await openHttp("https://example.org/model.ckpt", platform, { checksum: parseChecksum("9f86d0...") });
 */
export async function openHttp(address: string | URL, host: RemoteHost, options: HttpOpenOptions = {}): Promise<ByteSource> {
  const { download = "auto", checksum, cacheDir, signal } = options;
  const fetch = options.fetch ?? host.fetch;
  const common = { fetch, headers: options.headers, timeoutMs: options.timeoutMs, name: options.name };
  const file = (): RemoteFile => httpFile(address, { ...common, size: options.size });

  const wantsCopy = download === "always" || (download === "auto" && (checksum !== undefined || cacheDir !== undefined));
  if (wantsCopy && (host.downloads || download === "always")) return openCopy(file(), host, options);
  try {
    const open = (): Promise<ByteSource> => httpSource(address, { ...common, probeBytes: options.probeBytes, signal });
    const source = await retrying(open, options.retry, signal);
    const retried = options.retry === false ? source : retrySource(source, options.retry);
    return checksum ? await verifySource(retried, checksum, host, options) : retried;
  } catch (error) {
    const isWholeOnly = error instanceof CheckpointError && error.code === "HTTP_RANGE_NOT_SUPPORTED";
    if (!isWholeOnly || download === "never") throw error;
    return openCopy(file(), host, options);
  }
}

/** Opens a copy: in the host's folder of copies, or in memory where there is none. */
export async function openCopy(file: RemoteFile, host: RemoteHost, options: TransferOptions): Promise<ByteSource> {
  const { checksum, cacheDir, retry, signal, onProgress } = options;
  if (host.downloads) return host.downloads.open(file, { folder: cacheDir, checksum, retry, signal, onProgress });
  const source = await downloadToMemory(file, options);
  return checksum ? verifySource(source, checksum, host, options) : source;
}
