import {
  type ByteSource,
  blobSource,
  CheckpointSourceError,
  type DownloadOptions,
  type Downloads,
  formatSize,
  type Kernels,
  type RemoteFile,
  verifyChecksum,
  withRetries,
} from "@ckptkit/core";
import { downloadSink } from "../sinks/download-sink.js";

/** Which files may be downloaded whole. */
export interface CopyOptions {
  /** Bytes up to which a file is downloaded without a question (256 MiB). */
  maxBytes?: number | undefined;
  /** Asks about a larger file, or one whose size the server does not tell. None is downloaded when left out. */
  allow?: ((file: { readonly name: string; readonly size: number | undefined }) => boolean | Promise<boolean>) | undefined;
}

/**
 * Copies of remote files for servers that know no ranges, and for files whose checksum is to be verified: on disk, in the origin
 * private file system, for as long as they are open.
 *
 * @throws {CheckpointSourceError} DOWNLOAD_TOO_LARGE
 */
export function copies({ maxBytes = 256 * 2 ** 20, allow }: CopyOptions = {}, kernels: () => Promise<Kernels>): Downloads {
  const fetchOnce = (file: RemoteFile, { checksum, signal, onProgress }: DownloadOptions): Promise<ByteSource> =>
    file.request({ start: 0, signal }, async ({ chunks, size = file.size, version }) => {
      const { name } = file;
      let allowed = size !== undefined && size <= maxBytes;
      if (!allowed && size !== undefined) allowed = await asked(name, size);
      const hasher = checksum && (await kernels()).hasher(checksum.algorithm);
      const sink = await downloadSink(name);
      try {
        for await (const chunk of chunks()) {
          if (!allowed && sink.position + chunk.length > maxBytes) allowed = await asked(name, undefined);
          hasher?.update(chunk);
          await sink.write(chunk);
          if (size !== undefined) onProgress?.({ phase: "download", done: Math.min(sink.position, size), total: size });
        }
        if (size !== undefined && sink.position !== size) throw wrongSize(name, size, sink.position);
        if (checksum && hasher) verifyChecksum(name, checksum, hasher.hexDigest());
        await sink.commit();
        const copy = blobSource(sink.file ?? new Blob(), name);
        return { ...copy, version, close: () => sink.release() };
      } catch (error) {
        await sink.abort();
        await sink.release();
        throw error;
      } finally {
        hasher?.free();
      }
    });

  /** Resolves to true, or throws. */
  const asked = async (name: string, size: number | undefined): Promise<true> => {
    if (await allow?.({ name, size })) return true;
    const much = size === undefined ? `more than ${formatSize(maxBytes)}` : formatSize(size);
    throw new CheckpointSourceError(
      "DOWNLOAD_TOO_LARGE",
      `${name} can only be read by downloading all of it, ${much}; ${formatSize(maxBytes)} are allowed without a question.`,
      {
        details: { name, size, maxBytes },
        suggestions: [
          "Download it with the browser or another program, and open the copy.",
          "Serve it from storage that answers range requests: then a page reads only what it needs.",
          "Allow the download: browserPlatform({ downloads: { maxBytes, allow } }).",
        ],
      },
    );
  };

  return {
    open(file, options = {}) {
      const { retry, signal } = options;
      const attempt = (): Promise<ByteSource> => fetchOnce(file, options);
      return retry === false ? attempt() : withRetries(attempt, { ...retry, signal });
    },
  };
}

const wrongSize = (name: string, expected: number, found: number): CheckpointSourceError =>
  new CheckpointSourceError("READ_FAILED", `The download of ${name} has ${found} bytes; ${expected} were announced.`, {
    details: { name, expected, found },
    suggestions: ["Try again: the connection may have been cut, or the file replaced meanwhile."],
    retryable: true,
  });
