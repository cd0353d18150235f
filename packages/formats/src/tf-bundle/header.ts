import { type Bytes, CheckpointLoadError } from "@ckptkit/core";
import { messageFields, partOf } from "../protobuf/message.js";
import { WIRE } from "../protobuf/wire.js";
import { bundleError } from "./errors.js";

/** Data files of one checkpoint. Their names have five digits. */
const MOST_SHARDS = 99_999;

/** What an index says of the whole. */
export interface BundleHeader {
  readonly shardCount: number;
  readonly bigEndian: boolean;
  /** Version of the writer: VersionDef. */
  readonly producer: number;
}

/** Reads a BundleHeaderProto. @throws {CheckpointLoadError} TF_BUNDLE_CORRUPT, UNSUPPORTED_FORMAT */
export function readHeader(bytes: Bytes, name: string): BundleHeader {
  const malformed = (): Error => bundleError(name, "its header makes no sense");
  let [shards, endianness, producer] = [0, 0, 0];
  for (const field of messageFields(bytes, malformed)) {
    if (field.number === 1 && field.wire === WIRE.bytes) throw oldFormat(name);
    if (field.number === 1 && field.wire === WIRE.varint) shards = Number(field.value);
    else if (field.number === 2 && field.wire === WIRE.varint) endianness = Number(field.value);
    else if (field.number === 3 && field.wire === WIRE.bytes) {
      const version = partOf(bytes, field);
      for (const part of messageFields(version, malformed)) if (part.number === 1) producer = Number(part.value);
    } else throw malformed();
  }
  if (shards < 1 || shards > MOST_SHARDS || endianness > 1) throw malformed();
  return { shardCount: shards, bigEndian: endianness === 1, producer };
}

/** Of the same table, but with all in one file: SavedTensorSlices. */
const oldFormat = (name: string): CheckpointLoadError =>
  new CheckpointLoadError(
    "UNSUPPORTED_FORMAT",
    `${name} is a TensorFlow checkpoint of the first format, from before 2017, which is not read here.`,
    {
      suggestions: ["Save it again with TensorFlow: a Saver of write_version V2 writes an .index file and .data files."],
    },
  );
