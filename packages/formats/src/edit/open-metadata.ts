import { type ByteSource, CheckpointError, cacheSource, withLimits } from "@ckptkit/core";
import { safetensorsMetadataPlace } from "../safetensors/metadata-place.js";
import { safetensorsReader } from "../safetensors/reader.js";
import { torchMetadataPlace } from "../torch/metadata-place.js";
import { torchZipReader } from "../torch/zip-reader.js";
import type { MetadataOptions, MetadataPlace } from "./metadata-place.js";

/** Formats whose metadata can be changed in their place. */
export const EDITABLE_FORMATS = [safetensorsReader.format, torchZipReader.format] as const;

const PROBE_BYTES = 64 * 1024;

/**
 * Finds the place in which a file keeps metadata that can be changed; undefined for a file of another format.
 *
 * @throws {CheckpointLoadError} what the reader of the format throws
 * @example const place = await openMetadata(source); console.log(place?.metadata);
 */
export async function openMetadata(source: ByteSource, options: MetadataOptions = {}): Promise<MetadataPlace | undefined> {
  const limits = withLimits(options.limits);
  const cached = cacheSource(source, { blockBytes: PROBE_BYTES });
  const head = await cached.read(0, Math.min(PROBE_BYTES, source.size), options);
  const probe = { head, size: source.size, name: source.name };
  if (safetensorsReader.matches(probe)) return safetensorsMetadataPlace(cached, limits, options);
  if (!torchZipReader.matches(probe)) return undefined;
  try {
    return await torchMetadataPlace(cached, limits, options);
  } catch (error) {
    if (error instanceof CheckpointError && error.code === "UNSUPPORTED_FORMAT") return undefined; // a zip archive of another kind
    throw error;
  }
}
