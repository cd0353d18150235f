import { blobSource } from "./blob-source.js";
import type { ByteSource, SourceDescriptor } from "./byte-source.js";
import { CheckpointError, CheckpointSourceError } from "./errors.js";
import { httpSource } from "./http-source.js";
import { memorySource } from "./memory-source.js";
import { retrySource, withRetries } from "./retry-source.js";

/** Kinds of descriptors that {@link openDescriptor} opens: those of sources that need only the web platform. */
export const DESCRIPTOR_KINDS = ["blob", "http", "memory"] as const;

/**
 * Opens the source that a descriptor stands for, in whatever thread: the same bytes, or an error.
 *
 * @throws {CheckpointSourceError} SOURCE_CHANGED when the address has another version of the file by now
 * @throws {CheckpointError} INTERNAL for a descriptor of another kind than {@link DESCRIPTOR_KINDS}
 * @example const source = await openDescriptor({ kind: "blob", blob: file, name: file.name });
 */
export async function openDescriptor(descriptor: SourceDescriptor): Promise<ByteSource> {
  const { kind, blob, bytes, url, name } = descriptor;
  const called = typeof name === "string" ? name : undefined;
  if (kind === "blob" && blob instanceof Blob) return blobSource(blob, called);
  if (kind === "memory" && bytes instanceof Uint8Array) return memorySource(bytes, called);
  if (kind === "http" && (typeof url === "string" || url instanceof URL)) return openHttp(url, called, descriptor);
  throw new CheckpointError("INTERNAL", `A worker cannot open a source of the kind "${kind}".`, { details: { kind } });
}

async function openHttp(url: string | URL, name: string | undefined, descriptor: SourceDescriptor): Promise<ByteSource> {
  const { headers, timeoutMs, probeBytes, size, version } = descriptor as {
    // What httpSource itself has put there.
    headers?: Record<string, string>;
    timeoutMs?: number;
    probeBytes?: number;
    size?: number;
    version?: ByteSource["version"];
  };
  const source = await withRetries(() => httpSource(url, { headers, timeoutMs, probeBytes, name }));
  const same = size === source.size && version?.etag === source.version?.etag && version?.lastModified === source.version?.lastModified;
  if (!same) {
    throw new CheckpointSourceError("SOURCE_CHANGED", `${source.name} is another version of the file than the one that was opened.`, {
      details: { name: source.name, size, found: source.size, version, foundVersion: source.version },
      suggestions: ["Open it again."],
    });
  }
  return retrySource(source);
}
