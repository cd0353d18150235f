import {
  type ByteSource,
  CheckpointError,
  checkLimit,
  type Finding,
  type Limits,
  type OpenOptions,
  type Reading,
  readStep,
} from "@ckptkit/core";
import { type Pickle, type PickleValue, readPickle, valueAtKey } from "@ckptkit/pickle";
import { describeValue, isKind, torchError } from "./build-context.js";

/** The number that begins a legacy file, pickled. @see https://github.com/pytorch/pytorch torch/serialization.py, MAGIC_NUMBER */
export const LEGACY_MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL_VERSION = 1001;

/** Bytes read first; the pickles' length is not written anywhere, so more are read until they end. */
const FIRST_BYTES = 64 * 1024;

/** The five pickles at the start of a legacy file. */
export interface LegacyStack {
  /** What was saved. */
  main: Pickle;
  /** Keys of the storages, in the order in which these follow. */
  keys: string[];
  /** Where the first storage begins. */
  dataStart: number;
  findings: Finding[];
}

/**
 * Reads the stacked pickles, fetching four times as much of the file as long as they are cut off.
 *
 * @throws {CheckpointLoadError} PICKLE_*, TORCH_CORRUPT, LIMIT_EXCEEDED
 */
export function* readStack(source: ByteSource, limits: Limits, options: OpenOptions): Reading<LegacyStack> {
  let bytes = yield* readStep(source, 0, Math.min(FIRST_BYTES, source.size), options);
  for (;;) {
    try {
      return parseStack(bytes, limits, source.name);
    } catch (error) {
      const more = error instanceof CheckpointError && error.code === "PICKLE_TRUNCATED" && bytes.length < source.size;
      if (!more) throw error;
      checkLimit(limits, "pickleBytes", bytes.length + 1, `Pickles of ${source.name}`);
    }
    const longer = new Uint8Array(Math.min(bytes.length * 4, source.size, limits.pickleBytes));
    longer.set(bytes);
    longer.set(yield* readStep(source, bytes.length, longer.length, options), bytes.length);
    bytes = longer;
  }
}

function parseStack(bytes: Uint8Array, limits: Limits, name: string): LegacyStack {
  const magic = readPickle(bytes, { limits });
  if (magic.value !== LEGACY_MAGIC) throw torchError(`${name} does not begin with torch's magic number.`);
  const protocol = readPickle(bytes, { start: magic.end, limits });
  if (protocol.value !== PROTOCOL_VERSION) {
    throw torchError(`${name} has the legacy protocol ${describeValue(protocol.value)}, not ${PROTOCOL_VERSION}.`);
  }
  const system = readPickle(bytes, { start: protocol.end, limits });
  const main = readPickle(bytes, { start: system.end, limits });
  const keys = readPickle(bytes, { start: main.end, limits });
  const findings = [magic, protocol, system, main, keys].flatMap((pickle) => pickle.findings);
  return { main, keys: storageKeys(keys.value, name), dataStart: keys.end, findings: [...findings, ...checkTypeSizes(system.value)] };
}

/** Bytes of the C types that storages are made of, everywhere where torch runs. `long` differs, and no storage depends on it. */
const TYPE_BYTES: Readonly<Record<string, number>> = { short: 2, int: 4 };

function checkTypeSizes(system: PickleValue): Finding[] {
  const sizes = isKind(system, "dict") ? valueAtKey(system, "type_sizes") : undefined;
  if (!isKind(sizes, "dict")) return [];
  return Object.entries(TYPE_BYTES).flatMap(([type, expected]): Finding[] => {
    const found = valueAtKey(sizes, type);
    if (found === undefined || found === expected) return [];
    const message = `The file was written where a C ${type} has ${describeValue(found)} bytes, not ${expected}.`;
    return [{ rule: "torch-type-size", severity: "warning", message }];
  });
}

function storageKeys(value: PickleValue, name: string): string[] {
  if (!isKind(value, "list")) throw torchError(`${name} has no list of storage keys.`);
  const keys = value.items.map((key) => {
    if (typeof key === "string" || typeof key === "number") return String(key);
    throw torchError(`${name} has the storage key ${describeValue(key)}, not a string.`);
  });
  if (new Set(keys).size < keys.length) throw torchError(`${name} lists a storage key twice.`);
  return keys;
}
