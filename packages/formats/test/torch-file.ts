import type { ByteSource } from "@ckptkit/core";
import { type PickleCall, type PickleEntry, type PickleGlobal, type PickleValue, writePickle } from "@ckptkit/pickle";
import { concat, fields, text } from "./sparse-source.js";
import { type ArchiveOptions, buildZip, type Member } from "./zip-builder.js";

export const global = (dotted: string): PickleGlobal => {
  const cut = dotted.lastIndexOf(".");
  return { kind: "global", module: dotted.slice(0, cut), name: dotted.slice(cut + 1) };
};
export const tuple = (...items: PickleValue[]): PickleValue => ({ kind: "tuple", items });
export const list = (...items: PickleValue[]): Extract<PickleValue, { kind: "list" }> => ({ kind: "list", items });
export const dict = (entries: PickleEntry[] | Record<string, PickleValue>): Extract<PickleValue, { kind: "dict" }> => ({
  kind: "dict",
  keysAndValues: (Array.isArray(entries) ? entries : Object.entries(entries)).flat(),
});
export const call = (dotted: string, ...args: PickleValue[]): PickleCall => ({
  kind: "call",
  via: "REDUCE",
  callable: global(dotted),
  args,
});

/** What a tensor's pickle says; everything may be wrong. */
export interface TensorParts {
  id?: PickleValue;
  storageClass?: string;
  key?: PickleValue;
  count?: PickleValue;
  offset?: PickleValue;
  size?: PickleValue;
  stride?: PickleValue;
}

/** A float32 tensor of six elements, shape [2, 3], in storage "0", unless told otherwise. */
export function tensor(parts: TensorParts = {}): PickleCall {
  const { storageClass = "torch.FloatStorage", key = "0", count = 6 } = parts;
  const id = parts.id ?? tuple("storage", global(storageClass), key, "cpu", count);
  const { offset = 0, size = tuple(2, 3), stride = tuple(3, 1) } = parts;
  return call("torch._utils._rebuild_tensor_v2", { kind: "persistent", id }, offset, size, stride, false, call("collections.OrderedDict"));
}

/** Six float32 numbers: 1 to 6. */
export const SIX = new Uint8Array(new Float32Array([1, 2, 3, 4, 5, 6]).buffer);

/** The members of a torch archive with this object in it. */
export function torchMembers(value: PickleValue | Uint8Array, storages: Readonly<Record<string, Uint8Array>> = { 0: SIX }): Member[] {
  return [
    { name: "archive/data.pkl", data: value instanceof Uint8Array ? value : writePickle(value) },
    { name: "archive/byteorder", data: text("little") },
    ...Object.entries(storages).map(([key, data]) => ({ name: `archive/data/${key}`, data })),
    { name: "archive/version", data: text("3\n") },
  ];
}

/** A torch archive with this object in it. */
export function torchZip(
  value: PickleValue | Uint8Array,
  storages?: Readonly<Record<string, Uint8Array>>,
  options?: ArchiveOptions,
): ByteSource {
  return buildZip(torchMembers(value, storages), options);
}

/** The pickles of a legacy file, without storages. */
export function legacyStack(value: PickleValue | Uint8Array, keys: readonly PickleValue[] = ["0"]): Uint8Array {
  const system = dict({ protocol_version: 1001, little_endian: true, type_sizes: dict({ short: 2, int: 4, long: 4 }) });
  const main = value instanceof Uint8Array ? value : writePickle(value);
  return concat(writePickle(0x1950a86a20f9469cfc6cn), writePickle(1001), writePickle(system), main, writePickle(list(...keys)));
}

/** A legacy file with this object in it and float32 storages. */
export function legacyFile(value: PickleValue, storages: Readonly<Record<string, Uint8Array>> = { 0: SIX }): Uint8Array {
  const bodies = Object.values(storages).map((bytes) => concat(fields([8, bytes.length / 4]), bytes));
  return concat(legacyStack(value, Object.keys(storages)), ...bodies);
}
