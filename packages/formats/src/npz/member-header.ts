import { type ByteSource, type Bytes, type Limits, type Reading, readStep, type SignalOptions, sliceSource, step } from "@ckptkit/core";
import type { ZipEntry } from "../zip/directory.js";
import { InflateStream } from "../zip/inflate-stream.js";
import { checkLocalHeader, localHeaderEnd } from "../zip/local-header.js";
import { METHOD, zipError } from "../zip/records.js";
import { NPY_PREFIX_BYTES, npyDataStart } from "./npy-header.js";

/** Bytes behind a local header that are read along with it: its extra field and numpy's header are shorter as a rule. */
const ALONG_BYTES = 1024;

/**
 * The bytes of an array from its begin to where its data begins: in one read where the member is stored as it is.
 *
 * @throws {CheckpointLoadError} ZIP_CORRUPT, ZIP_UNSUPPORTED, NPY_CORRUPT, UNSUPPORTED_FORMAT, LIMIT_EXCEEDED
 */
export function* readMemberHeader(archive: ByteSource, entry: ZipEntry, limits: Limits, options?: SignalOptions): Reading<Bytes> {
  const name = `${archive.name}#${entry.name}`;
  const headerEnd = localHeaderEnd(entry);
  if (headerEnd > entry.limit) throw zipError(archive.name, `the header of ${JSON.stringify(entry.name)} is cut off`);
  const from = entry.headerStart;
  const window = yield* readStep(archive, from, Math.min(entry.limit, headerEnd + ALONG_BYTES), options);
  const start = checkLocalHeader(window, entry, archive.name);
  const prefixBytes = Math.min(NPY_PREFIX_BYTES, entry.byteLength);
  if (entry.method === METHOD.deflated) {
    const stored = sliceSource(archive, start, start + entry.compressedBytes, name);
    return yield* step({ what: `inflating ${name}`, wait: () => inflateHeader(stored, entry.byteLength, name, limits, options) });
  }
  function* bytes(count: number): Reading<Bytes> {
    const end = start + count;
    return end - from <= window.length ? window.subarray(start - from, end - from) : yield* readStep(archive, start, end, options);
  }
  return yield* bytes(npyDataStart(yield* bytes(prefixBytes), entry.byteLength, name, limits));
}

/** Inflates as much as the header needs, with a stream of its own. */
async function inflateHeader(
  stored: ByteSource,
  byteLength: number,
  name: string,
  limits: Limits,
  options?: SignalOptions,
): Promise<Bytes> {
  const stream = new InflateStream(stored, byteLength);
  try {
    const prefix = new Uint8Array(Math.min(NPY_PREFIX_BYTES, byteLength));
    await stream.fill(prefix, options);
    const dataStart = npyDataStart(prefix, byteLength, name, limits);
    const bytes = new Uint8Array(dataStart);
    bytes.set(prefix.subarray(0, dataStart));
    if (dataStart > prefix.length) await stream.fill(bytes.subarray(prefix.length), options);
    return bytes;
  } finally {
    await stream.cancel();
  }
}
