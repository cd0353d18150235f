import type { ByteSource, Json, Limits, SignalOptions } from "@ckptkit/core";
import { openCheckpoint, openMetadata } from "@ckptkit/formats";

/** What a file's metadata are, and where. */
export interface MetadataReport {
  uri: string;
  format: string;
  /** `__metadata__`, or the name of the record in which they are or would be; null where the format has none that can be changed. */
  place: string | null;
  metadata: { readonly [key: string]: Json };
}

/** How to read metadata. */
export interface ReadMetadataOptions extends SignalOptions {
  limits?: Partial<Limits> | undefined;
}

/**
 * The metadata that a file keeps beside its tensors: `__metadata__` of safetensors, anemoi's record in an archive of torch (`anemoi.json` or
 * `ai-models.json`); of any other format what its reader gives. Does not close the source.
 *
 * @throws {CheckpointLoadError} what opening the file throws; METADATA_CORRUPT
 * @example const { metadata } = await readMetadata(await fileSource("model.safetensors"));
 */
export async function readMetadata(source: ByteSource, options: ReadMetadataOptions = {}): Promise<MetadataReport> {
  const found = await openMetadata(source, options);
  if (found) return { uri: source.name, format: found.format, place: found.place, metadata: found.metadata };
  // Its owner closes the source.
  const lent: ByteSource = { size: source.size, name: source.name, read: (start, end, how) => source.read(start, end, how) };
  const { format, metadata } = await openCheckpoint(lent, options);
  return { uri: source.name, format, place: null, metadata };
}
