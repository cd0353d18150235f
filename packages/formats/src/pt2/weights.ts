import { CheckpointLoadError, DTYPES, type DType, Storage, type TensorSpec } from "@ckptkit/core";
import { quoted } from "../quoted.js";
import type { ZipArchive } from "../zip/archive.js";

/** torch's numbers of dtypes. @see https://github.com/pytorch/pytorch torch/_export/serde/schema.py, ScalarType */
const DTYPE_OF_SCALAR_TYPE: Readonly<Record<number, DType>> = {
  1: "U8",
  2: "I8",
  3: "I16",
  4: "I32",
  5: "I64",
  6: "F16",
  7: "F32",
  8: "F64",
  9: "C32",
  10: "C64",
  11: "C128",
  12: "BOOL",
  13: "BF16",
  28: "U16",
  29: "F8_E4M3",
  30: "F8_E5M2",
  31: "F8_E4M3FNUZ",
  32: "F8_E5M2FNUZ",
  33: "F8_E8M0",
  34: "U32",
  35: "U64",
};

/** What a list of weights says of one of them. */
export interface Pt2Weight {
  readonly name: string;
  /** The record with its bytes, in the folder of the list. */
  readonly record: string;
  /** Its bytes are a file of torch.save rather than elements. */
  readonly isPickled: boolean;
  readonly spec: Omit<TensorSpec, "storage"> | undefined;
}

/**
 * Reads a list of weights or constants.
 *
 * @throws {CheckpointLoadError} TORCH_CORRUPT
 * @see https://github.com/pytorch/pytorch torch/export/pt2_archive/_package_weights.py, and PayloadConfig in torch/_export/serde/schema.py
 */
export function parseWeights(bytes: Uint8Array, at: string): Pt2Weight[] {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.slice()));
  } catch (cause) {
    throw new CheckpointLoadError("TORCH_CORRUPT", `${at} is not valid JSON.`, { cause });
  }
  const config = field(json, "config");
  if (typeof config !== "object" || config === null) throw malformed(at, "it has no config");
  return Object.entries(config).map(([name, payload]) => {
    const record = field(payload, "path_name");
    if (typeof record !== "string") throw malformed(at, `${quoted(name)} has no record`);
    const meta = field(payload, "tensor_meta");
    const isPickled = field(payload, "use_pickle") === true;
    return { name, record, isPickled, spec: meta === null || meta === undefined ? undefined : specOf(meta, name, at) };
  });
}

function specOf(meta: unknown, name: string, at: string): Omit<TensorSpec, "storage"> {
  const code = field(meta, "dtype");
  const dtype = typeof code === "number" ? DTYPE_OF_SCALAR_TYPE[code] : undefined;
  if (dtype === undefined) throw malformed(at, `${quoted(name)} has the unknown dtype ${JSON.stringify(code)}`);
  const shape = sizes(field(meta, "sizes"), name, at);
  const strides = sizes(field(meta, "strides"), name, at);
  const byteOffset = size(field(meta, "storage_offset"), name, at) * (DTYPES[dtype].bits / 8);
  return { dtype, shape, strides, byteOffset, requiresGrad: field(meta, "requires_grad") === true };
}

/** Finds the storages of weights: records of the archive, which several weights may share. */
export class Pt2Storages {
  readonly #archive: ZipArchive;
  readonly #storages = new Map<string, Storage>();

  constructor(archive: ZipArchive) {
    this.#archive = archive;
  }

  /** @throws {CheckpointLoadError} TORCH_STORAGE_MISSING */
  of(record: string): Storage {
    const known = this.#storages.get(record);
    if (known) return known;
    const entry = this.#archive.entries.get(record);
    if (!entry) {
      throw new CheckpointLoadError("TORCH_STORAGE_MISSING", `The record ${record} of ${this.#archive.name} is missing.`, {
        details: { record },
      });
    }
    const storage = new Storage({
      id: record,
      bytes: this.#archive.source(entry),
      fileOffset: entry.headerStart,
      ...(entry.crc32 === 0 ? {} : { crc: { algorithm: "crc32", value: entry.crc32 } }),
    });
    this.#storages.set(record, storage);
    return storage;
  }
}

const field = (value: unknown, key: string): unknown =>
  // Object.hasOwn has just found the key
  typeof value === "object" && value !== null && Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;

function sizes(value: unknown, name: string, at: string): number[] {
  if (Array.isArray(value)) return value.map((one) => size(one, name, at));
  throw malformed(at, `${quoted(name)} has no list of sizes and strides`);
}

/** `{"as_int": 3}`; a symbol has no size in a file. */
function size(value: unknown, name: string, at: string): number {
  const number = field(value, "as_int");
  if (typeof number === "number" && Number.isSafeInteger(number) && number >= 0) return number;
  throw malformed(at, `${quoted(name)} has a size, stride or offset that is not an integer from 0 on`);
}

const malformed = (at: string, why: string): CheckpointLoadError => new CheckpointLoadError("TORCH_CORRUPT", `${at} is malformed: ${why}.`);
