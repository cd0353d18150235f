import { type ByteSource, checkLimit, checkRange, type Limits, readInto, type SignalOptions, sliceSource } from "@ckptkit/core";
import type { ZipEntry } from "./directory.js";
import { inflateSource } from "./inflate-source.js";
import { checkLocalHeader, localHeaderEnd } from "./local-header.js";
import { METHOD, zipError } from "./records.js";

/**
 * The bytes of one member, inflated when it is deflated. Nothing is read until they are asked for; then the local header is
 * read first, for only it tells where the data begins, and compared with the directory.
 *
 * @throws {CheckpointLoadError} LIMIT_EXCEEDED when the declared size is more than DEFLATE can make of the compressed bytes
 */
export function memberSource(archive: ByteSource, entry: ZipEntry, limits: Limits): ByteSource {
  checkInflateRatio(archive.name, entry, limits);
  let opened: ByteSource | undefined;
  const open = async (options?: SignalOptions): Promise<ByteSource> => {
    if (opened) return opened;
    const headerEnd = localHeaderEnd(entry);
    if (headerEnd > entry.limit) throw zipError(archive.name, `the header of ${JSON.stringify(entry.name)} is cut off`);
    const start = checkLocalHeader(await archive.read(entry.headerStart, headerEnd, options), entry, archive.name);
    const stored = sliceSource(archive, start, start + entry.compressedBytes, source.name);
    // Callers that came at the same time have read the header each, with a signal of their own; they share what the first made.
    opened ??= entry.method === METHOD.stored ? stored : inflateSource(stored, entry.byteLength, limits);
    return opened;
  };
  const source: ByteSource = {
    size: entry.byteLength,
    name: `${archive.name}#${entry.name}`,
    async read(start, end, options) {
      checkRange(source, start, end);
      return (await open(options)).read(start, end, options);
    },
    async readInto(target, start, options) {
      checkRange(source, start, start + target.length);
      await readInto(await open(options), target, start, options);
    },
  };
  return source;
}

/** DEFLATE has a largest ratio: a declared size beyond it is a lie, found before anything is inflated. */
function checkInflateRatio(archive: string, { name, method, byteLength, compressedBytes }: ZipEntry, limits: Limits): void {
  if (method !== METHOD.deflated) return;
  checkLimit(limits, "inflateRatio", Math.floor(byteLength / Math.max(1, compressedBytes)), `Inflation of ${name} in ${archive}`);
}
