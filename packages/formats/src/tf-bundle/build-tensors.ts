import {
  type ByteSource,
  countElements,
  type Finding,
  type Limits,
  type RecordedCrc,
  Storage,
  sliceSource,
  TensorHandle,
  type Tree,
} from "@ckptkit/core";
import { crcOfBoth } from "../crc-algebra.js";
import { type AssembledChunk, assembledSource } from "../dcp/assemble.js";
import { CoverageCheck } from "../dcp/coverage.js";
import { quoted } from "../quoted.js";
import { unreadableSource } from "../unreadable-source.js";
import { unmasked } from "./crc.js";
import { TF_TYPES, typeName } from "./data-types.js";
import type { BundleEntry, BundleIndex } from "./entries.js";
import { shardError } from "./errors.js";
import type { TensorName } from "./names.js";
import type { BundleShards } from "./shards.js";
import { boxOf, sliceKey } from "./slices.js";

/** Findings about single tensors that are listed. */
const FINDINGS_LISTED = 100;

/** Makes handles of the entries of an index. */
export class TensorBuilder {
  readonly tensors: TensorHandle[] = [];
  readonly #index: BundleIndex;
  readonly #shards: BundleShards;
  readonly #findings: Finding[];
  readonly #coverage: CoverageCheck;
  #told = 0;

  constructor(index: BundleIndex, shards: BundleShards, findings: Finding[], limits: Limits) {
    this.#index = index;
    this.#shards = shards;
    this.#findings = findings;
    this.#coverage = new CoverageCheck(limits);
  }

  /** The entry as a part of the tree: a tensor, or an object that says what it is. */
  build(entry: BundleEntry, { name, group }: TensorName): Tree {
    const type = TF_TYPES.get(entry.dtype);
    if (!type?.dtype) {
      if (!type) this.#tell(entry, `it is of ${typeName(entry.dtype)}, which TensorFlow did not have when this was written`);
      return opaque(entry);
    }
    const itemBytes = type.bits / 8;
    const byteLength = countElements(entry.shape) * itemBytes;
    if (!Number.isSafeInteger(byteLength)) return this.#defect(entry, `it declares ${byteLength} bytes`);
    const parts = entry.slices.length > 0 ? this.#assembled(entry, itemBytes, byteLength) : this.#whole(entry, byteLength);
    if (typeof parts === "string") return this.#defect(entry, parts);
    const storage = new Storage({ id: entry.name, bigEndian: this.#index.bigEndian, ...parts });
    const spec = { dtype: type.dtype, bits: type.bits, shape: entry.shape, storage, byteOffset: 0 };
    const handle = new TensorHandle(spec, { keys: [entry.name], name, group });
    this.tensors.push(handle);
    return { kind: "tensor", tensor: handle.spec };
  }

  #whole(entry: BundleEntry, byteLength: number): { bytes: ByteSource; fileOffset?: number; crc: RecordedCrc } | string {
    if (entry.size !== byteLength) return `it has ${entry.size} bytes, and its shape needs ${byteLength}`;
    const crc = { algorithm: "crc32c", value: unmasked(entry.crc) } as const;
    return { bytes: this.bytesOf(entry), fileOffset: entry.offset, crc };
  }

  /** The bytes of an entry. Those that cannot be had throw when they are read. */
  bytesOf({ name, shard, offset, size }: BundleEntry): ByteSource {
    const source = this.#shards.sources.get(shard);
    const file = this.#shards.nameOf(shard);
    const without = (why: string): ByteSource =>
      unreadableSource(size, name, () => shardError(`The values of ${quoted(name)} are in ${quoted(file)}, which ${why}.`, { file }));
    if (!source) return without("was not opened, or is missing");
    if (offset + size > source.size) return without(`should reach to ${offset + size}, and has ${source.size} bytes: it is cut off`);
    return sliceSource(source, offset, offset + size, `${source.name}#${name}`);
  }

  /** A variable that is stored in slices. */
  #assembled(entry: BundleEntry, itemBytes: number, byteLength: number): { bytes: ByteSource; crc?: RecordedCrc | undefined } | string {
    const { name, shape, slices } = entry;
    const boxes = slices.map((slice) => ({
      ...boxOf(slice, entry),
      place: undefined,
      stored: this.#index.slices.get(sliceKey(entry.key, slice)),
    }));
    const chunks: (AssembledChunk & { stored: BundleEntry })[] = [];
    for (const { stored, offsets, sizes } of boxes) {
      if (!stored) return "one of its slices has no entry";
      if (offsets.length !== shape.length) return "one of its slices has another number of axes";
      const bytes = countElements(sizes) * itemBytes;
      if (stored.size !== bytes || stored.dtype !== entry.dtype) return `one of its slices has ${stored.size} bytes, and needs ${bytes}`;
      chunks.push({ chunk: { offsets, sizes }, bytes: chunkBytes(this.bytesOf(stored)), stored });
    }
    const defects: Finding[] = [];
    const { disjoint } = this.#coverage.of({ name, shape, chunks: boxes }, defects);
    if (defects.length > 0 || !disjoint)
      return `its slices do not make the whole of it. ${defects[0]?.message ?? ""}`.trim().replace(/\.$/, "");
    const bytes = assembledSource({ name, shape, itemBytes, byteLength, disjoint, chunks });
    const inOrder = chunks.sort((a, b) => (a.chunk.offsets[0] ?? 0) - (b.chunk.offsets[0] ?? 0));
    const areRows = inOrder.every(({ chunk }) => chunk.sizes.every((size, axis) => axis === 0 || size === shape[axis]));
    if (!areRows) {
      const message = `The variable ${quoted(name)} is cut along other axes than its first: the checksums of its slices are not checked.`;
      if (this.#told++ < FINDINGS_LISTED) this.#findings.push({ rule: "tf-slices-unchecked", severity: "info", message, at: name });
      return { bytes };
    }
    // Slices of rows follow each other: their CRCs make that of the whole.
    let value = 0;
    for (const { stored } of inOrder) value = crcOfBoth(value, unmasked(stored.crc), stored.size, "crc32c");
    return { bytes, crc: { algorithm: "crc32c", value } };
  }

  #defect(entry: BundleEntry, why: string): Tree {
    this.#tell(entry, why);
    return opaque(entry);
  }

  #tell({ name }: BundleEntry, why: string): void {
    const message = `The tensor ${quoted(name)} cannot be read: ${why}.`;
    if (this.#told++ < FINDINGS_LISTED) this.#findings.push({ rule: "tf-tensor", severity: "error", message, at: name });
  }
}

/** The bytes of a slice for {@link assembledSource}. */
const chunkBytes = (source: ByteSource): AssembledChunk["bytes"] => ({
  async readInto(target, start, options) {
    if (source.readInto) await source.readInto(target, start, options);
    else target.set(await source.read(start, start + target.length, options));
  },
  locate: async (options) => source.locate?.(options),
});

/** An entry that has no numbers. */
export const opaque = ({ dtype, shape, size }: BundleEntry): Tree => ({
  kind: "object",
  type: "tensorflow.Tensor",
  attributes: {
    kind: "map",
    type: "dict",
    entries: [
      ["dtype", typeName(dtype)],
      ["shape", { kind: "list", type: "list", items: [...shape] }],
      ["bytes", size],
    ],
  },
});
