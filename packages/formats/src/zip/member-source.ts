import { type ByteSource, type Bytes, checkLimit, checkRange, type Limits, readInto, type SignalOptions, sliceSource } from "@ckptkit/core";
import type { ZipEntry } from "./directory.js";
import { inflateSource } from "./inflate-source.js";
import { METHOD, RECORD_BYTES, SIGNATURE, viewOf, zipError } from "./records.js";

/**
 * The bytes of one member, inflated when it is deflated. Nothing is read until they are asked for; then the local header is
 * read first, for only it tells where the data begins, and compared with the directory.
 */
export function memberSource(archive: ByteSource, entry: ZipEntry, limits: Limits): ByteSource {
  if (entry.method === METHOD.deflated) {
    // DEFLATE has a largest ratio: a declared size beyond it is a lie, found before anything is inflated.
    checkLimit(
      limits,
      "inflateRatio",
      Math.floor(entry.byteLength / Math.max(1, entry.compressedBytes)),
      `Inflation of ${entry.name} in ${archive.name}`,
    );
  }
  let opened: Promise<ByteSource> | undefined;
  const open = async (options?: SignalOptions): Promise<ByteSource> => {
    const start = await findDataStart(archive, entry, options);
    const stored = sliceSource(archive, start, start + entry.compressedBytes, source.name);
    return entry.method === METHOD.stored ? stored : inflateSource(stored, entry.byteLength, limits);
  };
  const resolve = (options?: SignalOptions): Promise<ByteSource> => {
    opened ??= open(options).catch((error: unknown) => {
      opened = undefined; // a failed read is tried anew by the next caller
      throw error;
    });
    return opened;
  };
  const source: ByteSource = {
    size: entry.byteLength,
    name: `${archive.name}#${entry.name}`,
    async read(start, end, options) {
      checkRange(source, start, end);
      return (await resolve(options)).read(start, end, options);
    },
    async readInto(target: Bytes, start, options) {
      checkRange(source, start, start + target.length);
      await readInto(await resolve(options), target, start, options);
    },
  };
  return source;
}

/** Reads the local header of a member and gives the position of its data. */
async function findDataStart(archive: ByteSource, entry: ZipEntry, options?: SignalOptions): Promise<number> {
  const nameBytes = new TextEncoder().encode(entry.name);
  const headerEnd = entry.headerStart + RECORD_BYTES.local + nameBytes.length;
  if (headerEnd > entry.limit) throw zipError(archive.name, `the header of ${JSON.stringify(entry.name)} is cut off`);
  const header = await archive.read(entry.headerStart, headerEnd, options);
  const view = viewOf(header);
  if (view.getUint32(0, true) !== SIGNATURE.local) {
    throw zipError(archive.name, `no header stands at ${entry.headerStart}, where the directory places ${JSON.stringify(entry.name)}`, {
      at: entry.headerStart,
    });
  }
  const sameName =
    view.getUint16(26, true) === nameBytes.length && nameBytes.every((byte, index) => header[RECORD_BYTES.local + index] === byte);
  if (!sameName)
    throw zipError(archive.name, `the header of ${JSON.stringify(entry.name)} gives the member another name than the directory`, {
      at: entry.headerStart,
    });
  if (view.getUint16(8, true) !== entry.method)
    throw zipError(archive.name, `header and directory disagree on how ${JSON.stringify(entry.name)} is compressed`);
  const start = headerEnd + view.getUint16(28, true);
  if (start + entry.compressedBytes > entry.limit) {
    throw zipError(archive.name, `the data of ${JSON.stringify(entry.name)} reaches into the next part of the archive`, {
      start,
      bytes: entry.compressedBytes,
      limit: entry.limit,
    });
  }
  return start;
}
