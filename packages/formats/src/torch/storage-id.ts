import { DTYPES, type DType, type Storage } from "@ckptkit/core";
import type { PickleValue } from "@ckptkit/pickle";
import { type BuildContext, describeValue, isKind, torchError } from "./build-context.js";
import { dtypeOfClass, UNTYPED_STORAGE } from "./dtypes.js";

/**
 * The storage that a persistent id names: ('storage', class, key, location, element count[, view]). A view, of legacy files
 * only, is the part (key, first element, element count) of the storage `key`.
 *
 * @returns the storage, and the dtype of its class; undefined for storages that are counted in bytes.
 * @throws {CheckpointLoadError} TORCH_CORRUPT, and what the file's own look-up throws
 * @see https://github.com/pytorch/pytorch torch/serialization.py, persistent_id
 */
export function resolveStorage(id: PickleValue, context: BuildContext): { storage: Storage; dtype: DType | undefined } {
  const items = isKind(id, "tuple") ? id.items : [];
  const [tag, cls, key, , count, view] = items;
  const className = context.nameOf(cls);
  if (tag !== "storage" || className === undefined || (typeof key !== "string" && typeof key !== "number") || items.length > 6) {
    throw torchError("The persistent id of a storage is not ('storage', class, key, location, size).");
  }
  const dtype = dtypeOfClass(className, "Storage");
  if (dtype === undefined && className !== UNTYPED_STORAGE) throw torchError(`The storage class ${className} is not known.`, { className });
  const itemBytes = dtype === undefined ? 1 : Math.max(1, DTYPES[dtype].bits / 8); // packed storages count bytes
  const request = { key: String(key), byteLength: sizeOf(count, "size of a storage", itemBytes), itemBytes };
  if (view === undefined || view === null) return { storage: context.findStorage(request), dtype };
  if (!isKind(view, "tuple")) throw torchError(`The view of the storage ${describeValue(key)} is ${describeValue(view)}.`);
  const start = sizeOf(view.items[1], "offset of a storage view", itemBytes);
  const end = start + sizeOf(view.items[2], "size of a storage view", itemBytes);
  if (end > request.byteLength) {
    throw torchError(`A view of the storage ${describeValue(key)} ends at ${end}, but it has ${request.byteLength} bytes.`);
  }
  return { storage: context.findStorage({ ...request, view: { start, end } }), dtype };
}

/** A count of elements in bytes. */
function sizeOf(value: PickleValue | undefined, what: string, itemBytes: number): number {
  const bytes = integer(value, what) * itemBytes;
  if (Number.isSafeInteger(bytes)) return bytes;
  throw torchError(`The ${what} is ${describeValue(value)}: more than 2^53 - 1 bytes.`);
}

/** @throws {CheckpointLoadError} TORCH_CORRUPT unless a value is an integer from 0 to 2^53 - 1. */
export function integer(value: PickleValue | undefined, what: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw torchError(`The ${what} is ${describeValue(value)}, not an integer from 0 to 2^53 - 1.`);
}
