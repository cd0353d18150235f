import {
  type ByteSource,
  type Finding,
  type PathKey,
  Storage,
  sliceSource,
  type TensorGroup,
  TensorHandle,
  type Tree,
} from "@ckptkit/core";
import { quoted } from "../quoted.js";
import { onnxError } from "./cursor.js";
import { ONNX_TYPES, type OnnxType, packedCoding, STRING_TYPE, typeName } from "./data-types.js";
import type { OnnxTensor } from "./description.js";
import type { ExternalData } from "./external.js";
import { sixBitSource, typedSource } from "./typed-source.js";

/** Findings about single tensors that are listed. */
const FINDINGS_LISTED = 100;
/** Fields of typed data whose entries have a fixed size, and that size. */
const FIXED_BYTES: Readonly<Record<number, number>> = { 4: 4, 10: 8 };

/** Makes handles of tensors that were read, one after another, and notes what is wrong with those of which it cannot. */
export class TensorBuilder {
  readonly tensors: TensorHandle[] = [];
  readonly #ids = new Set<string>();
  readonly #source: ByteSource;
  readonly #external: ExternalData;
  readonly #findings: Finding[];
  readonly #strict: boolean;
  #told = 0;

  constructor(source: ByteSource, external: ExternalData, findings: Finding[], strict: boolean) {
    this.#source = source;
    this.#external = external;
    this.#findings = findings;
    this.#strict = strict;
  }

  /** The tensor as a part of the tree: a tensor, or an object that says what it is where it has no numbers that can be read. */
  build(tensor: OnnxTensor, keys: readonly PathKey[], group: TensorGroup): Tree {
    const type = ONNX_TYPES.get(tensor.type);
    if (tensor.type === STRING_TYPE) return opaque(tensor, [["string_data", { kind: "list", type: "list", items: tensor.strings }]]);
    const name = keys.join(".");
    const byteLength = type && byteLengthOf(tensor.shape, type);
    const why =
      type === undefined
        ? `it is of ${typeName(tensor.type)}, which ONNX did not have when this was written`
        : byteLength === undefined
          ? `its shape [${tensor.shape.slice(0, 16).join(", ")}] makes no sense`
          : tensor.isSegment
            ? "it is a segment of a larger one"
            : this.#defectOf(tensor, type, byteLength);
    if (why !== undefined || !type || byteLength === undefined) {
      this.#tell("onnx-tensor", "error", `The tensor ${quoted(name)} cannot be read: ${why}`, name);
      return opaque(tensor);
    }
    const found = this.#bytesOf(tensor, type, byteLength, name);
    const storage = found && new Storage({ id: this.#idOf(name), ...found });
    const coding = byteLength * (8 / type.bits) === countOf(tensor.shape) ? packedCoding(type) : undefined;
    const shape = tensor.shape.map(Number);
    const spec = { dtype: type.dtype, bits: type.bits, shape, storage, byteOffset: 0, ...(coding ? { blocks: coding } : {}) };
    const handle = new TensorHandle(spec, { keys, name, group });
    this.tensors.push(handle);
    return { kind: "tensor", tensor: handle.spec };
  }

  /** What keeps a tensor from being read. */
  #defectOf({ raw, typed, typedField, external, shape }: OnnxTensor, type: OnnxType, byteLength: number): string | undefined {
    if (external || (!raw && typed.length === 0)) return undefined;
    if (raw) {
      const found = raw.end - raw.start;
      return found < byteLength ? `it has ${found} bytes of data, and its shape needs ${byteLength}` : undefined;
    }
    if (typedField !== type.field) return `its values are stored as those of another type than ${type.name}`;
    const entries = entriesOf(shape, type, byteLength);
    const bytes = typed.reduce((sum, { start, end }) => sum + end - start, 0);
    const least = entries * (FIXED_BYTES[typedField] ?? 1);
    return bytes < least ? `its typed data has ${bytes} bytes, and its shape needs at least ${least}` : undefined;
  }

  /** Where the values are; undefined where the model has none, as when they were taken out of it. */
  #bytesOf(tensor: OnnxTensor, type: OnnxType, byteLength: number, name: string): { bytes: ByteSource; fileOffset?: number } | undefined {
    const { raw, typed, typedField, external } = tensor;
    const part = (start: number): { bytes: ByteSource; fileOffset: number } => ({
      bytes: sliceSource(this.#source, start, start + byteLength, `${this.#source.name}#${name}`),
      fileOffset: start,
    });
    if (external) return this.#external.bytesOf(tensor, byteLength, this.#findings);
    if (raw) {
      this.#extra(raw.end - raw.start - byteLength, name);
      return part(raw.start);
    }
    const [first] = typed;
    if (!first) {
      if (byteLength === 0) return part(0);
      this.#tell("onnx-no-data", "warning", `The tensor ${quoted(name)} has no values in the model`, name);
      return undefined;
    }
    const fixedBytes = FIXED_BYTES[typedField] ?? 0;
    if (fixedBytes > 0 && typed.length === 1 && first.tagBytes === 0) {
      this.#extra(first.end - first.start - byteLength, name);
      return part(first.start);
    }
    const bytes = typedSource(this.#source, {
      name,
      runs: typed,
      fixedBytes,
      entryBytes: type.entryBytes,
      count: entriesOf(tensor.shape, type, byteLength),
    });
    return { bytes: type.bits === 6 ? sixBitSource(bytes) : bytes };
  }

  #extra(bytes: number, name: string): void {
    if (bytes > 0)
      this.#tell("onnx-extra-bytes", "warning", `${bytes} bytes follow the values of ${quoted(name)}: content that its shape hides`, name);
  }

  #tell(rule: string, severity: Finding["severity"], message: string, at: string): void {
    if (this.#strict) throw onnxError(this.#source.name, `${message[0]?.toLowerCase()}${message.slice(1)}`, { tensor: at });
    if (this.#told++ < FINDINGS_LISTED) this.#findings.push({ rule, severity, message: `${message}.`, at });
  }

  #idOf(name: string): string {
    const id = this.#ids.has(name) ? `${name}#${this.#ids.size}` : name;
    this.#ids.add(id);
    return id;
  }
}

/** Elements of a shape; undefined when it makes no sense. */
function countOf(shape: OnnxTensor["shape"]): number | undefined {
  let count = 1;
  for (const size of shape) {
    if (typeof size !== "number" || size < 0) return undefined;
    count *= size;
  }
  // With a size of 0 the others may be anything, and their product any number.
  if (shape.includes(0)) return 0;
  return Number.isSafeInteger(count) ? count : undefined;
}

function byteLengthOf(shape: OnnxTensor["shape"], { bits }: OnnxType): number | undefined {
  const count = countOf(shape);
  return count !== undefined && Number.isSafeInteger(count * bits) ? Math.ceil((count * bits) / 8) : undefined;
}

/** Entries of typed data. */
const entriesOf = (shape: OnnxTensor["shape"], { bits, entryBytes }: OnnxType, byteLength: number): number =>
  bits === 6 ? (countOf(shape) ?? 0) : byteLength / entryBytes;

/** A tensor that has no numbers here. */
const opaque = ({ type, shape }: OnnxTensor, more: [Tree, Tree][] = []): Tree => ({
  kind: "object",
  type: "onnx.TensorProto",
  attributes: {
    kind: "map",
    type: "dict",
    entries: [["data_type", typeName(type)], ["dims", { kind: "list", type: "list", items: [...shape] }], ...more],
  },
});
