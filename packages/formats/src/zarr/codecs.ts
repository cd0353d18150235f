import type { ByteCodec } from "./array.js";
import { isObject, type JsonObject } from "./json.js";

/** Thrown inside the reading of metadata: names a codec or data type that is not read here. */
export class UnknownCodec extends Error {}

/** Codecs that need nothing but their name to be undone. */
const PLAIN = new Set(["zstd", "gzip", "zlib", "blosc", "lz4", "crc32c"]);

/**
 * What undoes a codec of bytes, by the name and settings that either version of zarr gives.
 *
 * @throws {UnknownCodec}
 */
export function byteCodec(name: unknown, settings: JsonObject): ByteCodec {
  // Codecs that the specification does not have stand under the name of the package that has them.
  const id = typeof name === "string" ? name.replace(/^numcodecs\./, "") : "";
  if (PLAIN.has(id)) return { id } as ByteCodec; // the set has no others
  const { elementsize: itemBytes } = settings;
  if (id === "shuffle" && typeof itemBytes === "number" && Number.isInteger(itemBytes) && itemBytes > 0 && itemBytes <= 1024) {
    return { id, itemBytes };
  }
  throw new UnknownCodec(`the codec ${JSON.stringify(name)?.slice(0, 100)}`);
}

/** A step of a version 3 codec chain. */
export interface NamedCodec {
  readonly name: string;
  readonly settings: JsonObject;
}

/** The codecs of an array of version 3; undefined when they are no such list. */
export function namedCodecs(value: unknown): NamedCodec[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const codecs: NamedCodec[] = [];
  for (const codec of value) {
    const name = isObject(codec) ? codec.name : codec;
    if (typeof name !== "string") return undefined;
    codecs.push({ name, settings: isObject(codec) && isObject(codec.configuration) ? codec.configuration : {} });
  }
  return codecs;
}

/** A chain takes one compressor: with several, the lengths between them would not be known. */
export function checkChain(codecs: readonly ByteCodec[]): readonly ByteCodec[] {
  if (codecs.filter(({ id }) => id !== "crc32c" && id !== "shuffle").length > 1) throw new UnknownCodec("several compressors");
  return codecs;
}
