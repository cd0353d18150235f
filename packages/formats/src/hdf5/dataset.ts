import {
  type ByteSource,
  type Bytes,
  type CheckpointError,
  DTYPES,
  type Finding,
  Storage,
  sliceSource,
  type TensorSpec,
  type Tree,
} from "@ckptkit/core";
import type { ChunkCache } from "../chunks/chunk-cache.js";
import { quoted } from "../quoted.js";
import { unreadableSource } from "../unreadable-source.js";
import type { Attributes } from "./attributes.js";
import { ChunkGrid } from "./chunk-grid.js";
import { chunkedSource } from "./chunked-source.js";
import { type Dataspace, parseDataspace } from "./dataspace.js";
import { type Datatype, parseDatatype } from "./datatype.js";
import { describeDatatype, elementOf } from "./element.js";
import { hdf5Error, hdf5Unsupported } from "./errors.js";
import { Fields } from "./fields.js";
import type { Hdf5File } from "./file.js";
import { type Filter, parseFilters, unknownFilters } from "./filters.js";
import { type DataLayout, parseLayout } from "./layout.js";
import { MESSAGE, type Message, messageOf } from "./object-header.js";
import { checkExpansion, madeSource, repeat } from "./stored-sources.js";

/** What a dataset of a file is made with. */
export interface DatasetInit {
  readonly file: Hdf5File;
  readonly cache: ChunkCache;
  readonly messages: readonly Message[];
  readonly attributes: Attributes;
  /** Its first path, for messages. */
  readonly path: string;
  /** Gets what is odd about it. */
  readonly findings: Finding[];
}

/** A dataset: a tensor, or what it is where it holds no numbers. */
export interface Hdf5Dataset {
  readonly kind: "dataset";
  readonly tensor: TensorSpec | undefined;
  readonly tree: Tree;
  readonly attributes: Attributes;
  /** Where its bytes lie in the file, when they lie there in one piece. */
  readonly extent: { readonly start: number; readonly end: number } | undefined;
}

/**
 * What the messages of a dataset say. Its bytes are not looked at.
 *
 * @throws {CheckpointLoadError} HDF5_CORRUPT, TENSOR_OUT_OF_BOUNDS
 */
export function readDataset(init: DatasetInit): Hdf5Dataset {
  const { file, messages, attributes, path, findings } = init;
  const need = (type: number, name: string): Fields => {
    const bytes = messageOf(messages, type);
    if (!bytes) throw hdf5Error(file.name, `the dataset ${quoted(path)} has no ${name}`);
    return new Fields(bytes, file, `the ${name} of ${quoted(path)}`);
  };
  const type = parseDatatype(need(MESSAGE.datatype, "datatype"));
  const space = parseDataspace(need(MESSAGE.dataspace, "dataspace"));
  const named = attributes.get("dtype");
  const element = space.isNull ? undefined : elementOf(type, typeof named === "string" ? named : undefined);
  if (!element) {
    if (!space.isNull) {
      const message = `${quoted(path)} is an array of ${describeDatatype(type)}: its values are not shown.`;
      findings.push({ rule: "hdf5-no-numbers", severity: "info", message, at: path });
    }
    return { kind: "dataset", tensor: undefined, tree: opaque(type, space), attributes, extent: undefined };
  }
  const layout = parseLayout(need(MESSAGE.layout, "layout"), space.shape.length);
  const filterBytes = messageOf(messages, MESSAGE.filters);
  const filters = filterBytes ? parseFilters(new Fields(filterBytes, file, `the filters of ${quoted(path)}`)) : [];
  const byteLength = space.elements * type.size;
  if (!Number.isSafeInteger(byteLength)) throw hdf5Error(file.name, `the dataset ${quoted(path)} declares ${byteLength} bytes`);
  const bytes = sourceOf({ ...init, type, space, layout, filters, byteLength });
  const { dtype, bigEndian } = element;
  const extent = extentOf(layout, byteLength);
  const fileOffset = extent ? { fileOffset: extent.start } : {};
  const storage = new Storage({ id: path, bytes, bigEndian: bigEndian && DTYPES[dtype].bits > 8, ...fileOffset });
  const tensor: TensorSpec = { dtype, shape: [...space.shape, ...element.shape], storage, byteOffset: 0 };
  return { kind: "dataset", tensor, tree: { kind: "tensor", tensor }, attributes, extent };
}

interface SourceInit extends DatasetInit {
  readonly type: Datatype;
  readonly space: Dataspace;
  readonly layout: DataLayout;
  readonly filters: readonly Filter[];
  readonly byteLength: number;
}

/** The bytes of a dataset. What cannot be read is told now, and thrown when they are asked for. */
function sourceOf(init: SourceInit): ByteSource {
  const { file, path, layout, space, type, filters, byteLength, messages, findings } = init;
  const name = `${file.name}#${path}`;
  const refuse = (rule: string, error: CheckpointError): ByteSource => {
    findings.push({ rule, severity: "error", message: error.message, at: path });
    return unreadableSource(byteLength, name, () => error);
  };
  if (messageOf(messages, MESSAGE.externalFiles))
    return refuse("hdf5-external-data", hdf5Unsupported(file.name, `The values of ${quoted(path)} are in other files`));
  const unknown = unknownFilters(filters);
  if (unknown.length > 0) {
    const error = hdf5Unsupported(file.name, `The values of ${quoted(path)} are compressed by ${unknown.join(" and ")}`, {
      dataset: path,
      filters: unknown,
    });
    return refuse("hdf5-not-read", error);
  }
  const fill = fillValue(messages, file, type.size);
  switch (layout.kind) {
    case "virtual":
      return refuse("hdf5-not-read", hdf5Unsupported(file.name, `The values of ${quoted(path)} are put together from other datasets`));
    case "compact": {
      const { bytes } = layout;
      if (bytes.length < byteLength)
        throw hdf5Error(file.name, `the dataset ${quoted(path)} needs ${byteLength} bytes, and has ${bytes.length}`);
      return madeSource(name, byteLength, async (target, start) => target.set(bytes.subarray(start, start + target.length)));
    }
    case "contiguous": {
      const { address } = layout;
      if (byteLength === 0 || address === undefined) return unwritten(name, byteLength, fill, file);
      if (layout.byteLength !== undefined && layout.byteLength < byteLength)
        throw hdf5Error(file.name, `the dataset ${quoted(path)} needs ${byteLength} bytes, and has ${layout.byteLength}`);
      const { size } = file.source;
      if (address + byteLength <= size) return sliceSource(file.source, address, address + byteLength, name);
      const what = `the values of ${quoted(path)} should stand at [${address}, ${address + byteLength}), but the file ends at ${size}`;
      return refuse(
        "hdf5-truncated-data",
        hdf5Error(file.name, what, { dataset: path, expected: byteLength, found: Math.max(0, size - address) }),
      );
    }
    case "chunked": {
      const grid = new ChunkGrid(space.shape, space.mostShape, layout.chunkShape);
      const { index, edgesUnfiltered } = layout;
      return chunkedSource({
        file,
        name,
        grid,
        index,
        filters,
        edgesUnfiltered,
        itemBytes: type.size,
        byteLength,
        fill,
        cache: init.cache,
      });
    }
  }
}

/** A dataset that nothing was written into. */
function unwritten(name: string, byteLength: number, fill: Bytes | undefined, file: Hdf5File): ByteSource {
  return madeSource(name, byteLength, async (target, start) => {
    checkExpansion(name, byteLength, 0, file.limits);
    repeat(target, start, fill);
  });
}

/**
 * What stands for elements that were not written; undefined: zeros.
 *
 * @see https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html (IV.A.2.e. and f. The Data Storage - Fill Value Messages)
 */
function fillValue(messages: readonly Message[], file: Hdf5File, itemBytes: number): Bytes | undefined {
  const body = messageOf(messages, MESSAGE.fillValue);
  const old = messageOf(messages, MESSAGE.oldFillValue);
  const value = body ? newFillValue(new Fields(body, file, "a fill value")) : old && sized(new Fields(old, file, "a fill value"));
  return value?.length === itemBytes ? value : undefined;
}

function newFillValue(fields: Fields): Bytes | undefined {
  const version = fields.version(1, 2, 3);
  if (version === 3) return (fields.u8() & 0x20) === 0 ? undefined : sized(fields);
  fields.skip(2);
  const isDefined = fields.u8() !== 0;
  return version === 1 || isDefined ? sized(fields) : undefined;
}

const sized = (fields: Fields): Bytes => fields.take(fields.u32());

const extentOf = (layout: DataLayout, byteLength: number): Hdf5Dataset["extent"] =>
  layout.kind === "contiguous" && layout.address !== undefined && byteLength > 0
    ? { start: layout.address, end: layout.address + byteLength }
    : undefined;

/** What is no tensor: its type and shape. */
const opaque = (type: Datatype, { shape, isNull }: Dataspace): Tree => ({
  kind: "object",
  type: "hdf5.Dataset",
  attributes: {
    kind: "map",
    type: "dict",
    entries: [
      ["dtype", describeDatatype(type)],
      ["shape", isNull ? null : { kind: "list", type: "tuple", items: [...shape] }],
    ],
  },
});
