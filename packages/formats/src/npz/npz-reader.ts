import {
  type ByteSource,
  type Bytes,
  type Checkpoint,
  CheckpointLoadError,
  checkLimit,
  type Finding,
  type FormatReader,
  finish,
  finishSync,
  type Limits,
  type MapNode,
  type OpenOptions,
  type Reading,
  step,
  type TensorHandle,
  withLimits,
} from "@ckptkit/core";
import { crc32 } from "@ckptkit/wasm/crc";
import { crcOfTail } from "../crc-algebra.js";
import { readZip, type ZipArchive } from "../zip/archive.js";
import type { ZipEntry } from "../zip/directory.js";
import { npyArray } from "./array.js";
import { readMemberHeader } from "./member-header.js";
import { readNpyHeader } from "./npy-header.js";
import { NPY_SUFFIX, npzSignature } from "./signature.js";

/** Opens archives of numpy arrays. */
export const npzReader: FormatReader = {
  ...npzSignature,
  open: openNpz,
  openSync: (source, options) => finishSync(readNpz(source, options)),
};

/** Members whose headers are read at the same time: fewer than the listeners on one signal of which Node warns. */
const AT_ONCE = 8;

/**
 * Opens a `.npz` archive, stored or deflated, from its directory and the header of each array.
 *
 * @throws {CheckpointLoadError} ZIP_*, NPY_CORRUPT, UNSUPPORTED_FORMAT when it is an archive of another kind, LIMIT_EXCEEDED, TENSOR_OUT_OF_BOUNDS
 * @see https://numpy.org/doc/stable/reference/generated/numpy.savez.html
 * @example
 * const checkpoint = await openNpz(blobSource(file));
 * for (const { path, dtype, shape } of checkpoint.tensors) console.log(path, dtype, shape);
 */
export async function openNpz(source: ByteSource, options: OpenOptions = {}): Promise<Checkpoint> {
  return finish(readNpz(source, options));
}

function* readNpz(source: ByteSource, options: OpenOptions): Reading<Checkpoint> {
  const limits = withLimits(options.limits);
  const archive = yield* readZip(source, limits, options);
  const findings: Finding[] = [...archive.findings];
  const members = arraysOf(archive, findings);
  checkLimit(limits, "tensors", members.length, `Arrays in ${source.name}`);
  const headers = yield* readHeaders(source, members, limits, options);
  const tensors: TensorHandle[] = [];
  const tree: MapNode = { kind: "map", type: "dict", entries: [] };
  for (const [index, entry] of members.entries()) {
    const bytes = headers[index] ?? new Uint8Array(0);
    const member = archive.source(entry);
    const header = readNpyHeader(bytes, member.name);
    // Recorded of the whole member; what the storage holds is the data alone.
    const value = crcOfTail(entry.crc32, crc32(bytes), entry.byteLength - bytes.length);
    const crc = entry.crc32 === 0 ? undefined : ({ algorithm: "crc32", value } as const);
    const name = entry.name.slice(0, -NPY_SUFFIX.length);
    const array = npyArray(header, member, [name], { fileOffset: entry.headerStart, crc }, findings);
    if (array.tensor) tensors.push(array.tensor);
    tree.entries.push([name, array.tree]);
  }
  return {
    uri: source.name,
    format: "npz",
    layout: "state_dict",
    byteLength: source.size,
    tensors,
    tree,
    metadata: {},
    findings,
    close: async () => source.close?.(),
  };
}

/** The members that are arrays. @throws {CheckpointLoadError} UNSUPPORTED_FORMAT when the archive is of another program */
function arraysOf({ name, entries }: ZipArchive, findings: Finding[]): ZipEntry[] {
  const all = [...entries.values()].filter((entry) => !entry.name.endsWith("/"));
  const arrays = all.filter((entry) => entry.name.endsWith(NPY_SUFFIX));
  const others = all.filter((entry) => !entry.name.endsWith(NPY_SUFFIX)).map((entry) => entry.name);
  if ((arrays.length === 0 && all.length > 0) || others.some((other) => other.endsWith("/data.pkl"))) {
    throw new CheckpointLoadError("UNSUPPORTED_FORMAT", `${name} is a zip archive, but not of numpy.savez: it holds ${all[0]?.name}.`, {
      details: { members: all.slice(0, 20).map((entry) => entry.name) },
    });
  }
  if (others.length > 0) {
    findings.push({
      rule: "npz-other-members",
      severity: "warning",
      message: `${others.length} of ${all.length} members are no arrays, the first of them ${JSON.stringify(others[0])}: they were not looked at.`,
    });
  }
  return arrays;
}

/** The headers of all arrays, some at a time. */
function* readHeaders(source: ByteSource, members: readonly ZipEntry[], limits: Limits, options: OpenOptions): Reading<Bytes[]> {
  const headers: Bytes[] = [];
  const read = (entry: ZipEntry): Reading<Bytes> => readMemberHeader(source, entry, limits, options);
  for (let first = 0; first < members.length; first += AT_ONCE) {
    const some = members.slice(first, first + AT_ONCE);
    const found = yield* step({
      what: `reading the headers of ${source.name}`,
      wait: () => Promise.all(some.map((entry) => finish(read(entry)))),
      now: () => some.map((entry) => finishSync(read(entry))),
    });
    headers.push(...found);
  }
  return headers;
}
