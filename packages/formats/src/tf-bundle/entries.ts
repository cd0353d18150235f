import { type Bytes, checkLimit, type Limits } from "@ckptkit/core";
import { fixed32Of, messageFields, partOf } from "../protobuf/message.js";
import { signed, WIRE } from "../protobuf/wire.js";
import { bundleError } from "./errors.js";
import { type BundleHeader, readHeader } from "./header.js";
import { readTable, type TableEntry } from "./table.js";

/** A box of a variable that is stored by itself: BundleEntryProto.slices. */
export interface Slice {
  readonly starts: readonly number[];
  /** Undefined for all of an axis. */
  readonly lengths: readonly (number | undefined)[];
}

/** One entry of the index: BundleEntryProto. */
export interface BundleEntry {
  /** Its name as it stands in the table, one character a byte. */
  readonly key: string;
  readonly name: string;
  /** Id of its dtype. */
  readonly dtype: number;
  readonly shape: readonly number[];
  readonly shard: number;
  readonly offset: number;
  readonly size: number;
  /** Masked CRC-32C. */
  readonly crc: number;
  readonly slices: readonly Slice[];
}

/** What an index says. */
export interface BundleIndex extends BundleHeader {
  /** In the order of their names. */
  readonly entries: readonly BundleEntry[];
  /** Entries of slices, by key: bytes that are not a name. */
  readonly slices: ReadonlyMap<string, BundleEntry>;
}

/** Axes of one tensor. @see https://github.com/tensorflow/tensorflow tensorflow/core/framework/tensor_shape.h, MaxDimensions */
const MOST_AXES = 254;

const UTF8 = /* @__PURE__ */ new TextDecoder("utf-8", { ignoreBOM: true });
const nameOf = (key: string): string => UTF8.decode(Uint8Array.from(key, (byte) => byte.charCodeAt(0)));

/**
 * Reads the index of a checkpoint from all its bytes.
 *
 * @throws {CheckpointLoadError} TF_BUNDLE_CORRUPT, LIMIT_EXCEEDED
 * @see https://github.com/tensorflow/tensorflow tensorflow/core/protobuf/tensor_bundle.proto
 */
export function readIndex(bytes: Bytes, name: string, limits: Limits): BundleIndex {
  const [header, ...rest] = readTable(bytes, name, limits);
  if (header?.key !== "") throw bundleError(name, "it has no header");
  const head = readHeader(header.value, name);
  checkLimit(limits, "files", head.shardCount, `Data files of ${name}`);
  const entries: BundleEntry[] = [];
  const slices = new Map<string, BundleEntry>();
  for (const entry of rest) {
    const read = readEntry(entry, name, head.shardCount);
    // Keys of slices begin with a zero, and no name does.
    if (entry.key.startsWith("\0")) slices.set(entry.key, read);
    else entries.push(read);
  }
  return { ...head, entries, slices };
}

function readEntry({ key, value }: TableEntry, file: string, shardCount: number): BundleEntry {
  const name = nameOf(key);
  const malformed = (): Error => bundleError(file, `the entry ${JSON.stringify(name.slice(0, 200))} makes no sense`);
  let [dtype, shard, offset, size, crc] = [0, 0, 0, 0, 0];
  let shape: number[] = [];
  const slices: Slice[] = [];
  for (const field of messageFields(value, malformed)) {
    const { number, wire } = field;
    const bytes = wire === WIRE.bytes ? partOf(value, field) : undefined;
    if (number === 1) dtype = Number(field.value);
    else if (number === 2 && bytes) shape = readShape(bytes, malformed);
    else if (number === 3) shard = Number(field.value);
    else if (number === 4) offset = Number(field.value);
    else if (number === 5) size = Number(field.value);
    else if (number === 6) crc = fixed32Of(value, field);
    else if (number === 7 && bytes) slices.push(readSlice(bytes, malformed));
  }
  const isPlace = Number.isSafeInteger(offset) && Number.isSafeInteger(size) && Number.isSafeInteger(offset + size);
  if (!isPlace || shard >= shardCount) throw malformed();
  return { key, name, dtype, shape, shard, offset, size, crc, slices };
}

/** TensorShapeProto */
function readShape(bytes: Bytes, malformed: () => Error): number[] {
  const shape: number[] = [];
  for (const field of messageFields(bytes, malformed)) {
    if (field.number !== 2 || field.wire !== WIRE.bytes) continue;
    const axis = partOf(bytes, field);
    let size = 0;
    for (const part of messageFields(axis, malformed)) if (part.number === 1) size = sizeOf(part.value, malformed);
    shape.push(size);
    if (shape.length > MOST_AXES) throw malformed();
  }
  return shape;
}

/** TensorSliceProto */
function readSlice(bytes: Bytes, malformed: () => Error): Slice {
  const starts: number[] = [];
  const lengths: (number | undefined)[] = [];
  for (const field of messageFields(bytes, malformed)) {
    if (field.number !== 1 || field.wire !== WIRE.bytes) continue;
    let start = 0;
    let length: number | undefined;
    for (const part of messageFields(partOf(bytes, field), malformed)) {
      if (part.number === 1) start = sizeOf(part.value, malformed);
      if (part.number === 2) length = sizeOf(part.value, malformed);
    }
    starts.push(start);
    lengths.push(length);
    if (starts.length > MOST_AXES) throw malformed();
  }
  return { starts, lengths };
}

function sizeOf(value: number | bigint, malformed: () => Error): number {
  const size = signed(value);
  if (typeof size !== "number" || size < 0) throw malformed();
  return size;
}
