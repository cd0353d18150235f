import {
  asNumber,
  type ByteSource,
  type Checkpoint,
  CheckpointError,
  CheckpointLoadError,
  checkLimit,
  type Finding,
  type FormatReader,
  type Limits,
  type OpenOptions,
  Storage,
  sliceSource,
  withLimits,
} from "@ckptkit/core";
import { type Pickle, type PickleValue, readPickle } from "@ckptkit/pickle";
import { viewOf } from "../zip/records.js";
import { torchCheckpoint } from "./checkpoint.js";
import { type FindStorage, isKind, type StorageRequest, torchError } from "./tree-builder.js";

/** The number that begins a legacy file, pickled. @see https://github.com/pytorch/pytorch torch/serialization.py, MAGIC_NUMBER */
const MAGIC_NUMBER = 0x1950a86a20f9469cfc6cn;
const PROTOCOL_VERSION = 1001;

/** The magic number as a pickle of protocol 2 or later begins: PROTO n (FRAME) LONG1 10 and its ten bytes. */
const MAGIC_BYTES = [0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

/** Opens the stacked pickles of torch.save before 1.6. */
export const torchLegacyReader: FormatReader = {
  format: "torch-legacy",
  matches: ({ head }) =>
    findBytes(head.subarray(0, 64), MAGIC_BYTES) || new TextDecoder("latin1").decode(head.slice(0, 64)).includes(`L${MAGIC_NUMBER}L`),
  open: openTorchLegacy,
};

const findBytes = (bytes: Uint8Array, wanted: readonly number[]): boolean => {
  for (let at = 0; at + wanted.length <= bytes.length; at++) if (wanted.every((byte, index) => bytes[at + index] === byte)) return true;
  return false;
};

/** Bytes read first; the pickles' length is not written anywhere, so more are read until they end. */
const FIRST_BYTES = 256 * 1024;
/** Each storage begins with its element count. */
const COUNT_BYTES = 8;

/**
 * Opens a legacy file: magic number, protocol, system info, the object and the list of storage keys, all pickled, and after
 * them the storages.
 *
 * @throws {CheckpointLoadError} PICKLE_*, TORCH_*, TENSOR_OUT_OF_BOUNDS, LIMIT_EXCEEDED
 */
export async function openTorchLegacy(source: ByteSource, options: OpenOptions = {}): Promise<Checkpoint> {
  const limits = withLimits(options.limits);
  const { main, keys, bigEndian, dataStart, findings } = await readStack(source, limits, options);
  const storages = new LegacyStorages(source, keys, dataStart, bigEndian);
  const checkpoint = torchCheckpoint({
    source,
    format: "torch-legacy",
    value: main.value,
    findStorage: storages.find,
    limits,
    findings: [...findings, ...main.findings],
  });
  return { ...checkpoint, findings: [...checkpoint.findings, ...storages.place()] };
}

interface Stack {
  main: Pickle;
  keys: string[];
  bigEndian: boolean;
  dataStart: number;
  findings: Finding[];
}

/** Reads the five pickles, fetching more of the file as long as they are cut off. */
async function readStack(source: ByteSource, limits: Limits, options: OpenOptions): Promise<Stack> {
  for (let bytes = Math.min(FIRST_BYTES, source.size); ; bytes = Math.min(bytes * 4, source.size, limits.pickleBytes)) {
    try {
      return parseStack(await source.read(0, bytes, options), limits, source.name);
    } catch (error) {
      const more = error instanceof CheckpointError && error.code === "PICKLE_TRUNCATED" && bytes < source.size;
      if (!more) throw error;
      checkLimit(limits, "pickleBytes", bytes + 1, `Pickles of ${source.name}`);
    }
  }
}

function parseStack(bytes: Uint8Array, limits: Limits, name: string): Stack {
  const magic = readPickle(bytes, { limits });
  if (magic.value !== MAGIC_NUMBER) throw torchError(`${name} begins with a pickle that is not torch's magic number.`);
  const protocol = readPickle(bytes, { start: magic.end, limits });
  if (protocol.value !== PROTOCOL_VERSION)
    throw torchError(`${name} has the legacy protocol ${String(protocol.value)}; only ${PROTOCOL_VERSION} is known.`);
  const system = readPickle(bytes, { start: protocol.end, limits });
  const main = readPickle(bytes, { start: system.end, limits });
  const keys = readPickle(bytes, { start: main.end, limits });
  return {
    main,
    keys: storageKeys(keys.value, name),
    bigEndian: systemEntry(system.value, "little_endian") === false,
    dataStart: keys.end,
    findings: checkTypeSizes(system.value),
  };
}

const systemEntry = (system: PickleValue, key: string): PickleValue | undefined =>
  isKind(system, "dict") ? system.entries.find(([name]) => name === key)?.[1] : undefined;

/** Sizes of C types that torch's storages have on every platform of today. */
const TYPE_SIZES = { short: 2, int: 4, long: 4 } as const;

function checkTypeSizes(system: PickleValue): Finding[] {
  const sizes = systemEntry(system, "type_sizes");
  if (!isKind(sizes, "dict")) return [];
  const odd = sizes.entries.filter(
    ([key, size]) =>
      key !== "long" && typeof key === "string" && Object.hasOwn(TYPE_SIZES, key) && size !== TYPE_SIZES[key as keyof typeof TYPE_SIZES],
  );
  return odd.map(([key, size]) => ({
    rule: "torch-type-size",
    severity: "warning",
    message: `The file was written where a C ${String(key)} has ${String(asNumber(typeof size === "number" ? size : undefined))} bytes.`,
  }));
}

function storageKeys(value: PickleValue, name: string): string[] {
  if (!isKind(value, "list")) throw torchError(`${name} has no list of storage keys after its main pickle.`);
  return value.items.map((key) => {
    if (typeof key === "string" || typeof key === "number") return String(key);
    throw torchError(`${name} has a storage key that is neither a string nor a number.`);
  });
}

/** The storages behind the pickles. Their sizes come from the persistent ids, so their places are known only when all ids are. */
class LegacyStorages {
  readonly #bytes = new Map<string, number>();
  readonly #starts = new Map<string, number>();
  readonly #storages = new Map<string, Storage>();

  constructor(
    readonly source: ByteSource,
    readonly keys: readonly string[],
    readonly dataStart: number,
    readonly bigEndian: boolean,
  ) {}

  readonly find: FindStorage = ({ key, byteLength, view }: StorageRequest): Storage => {
    const known = this.#bytes.get(key);
    if (known !== undefined && known !== byteLength) {
      throw new CheckpointLoadError(
        "TORCH_STORAGE_SIZE",
        `The storage "${key}" of ${this.source.name} is said to have ${known} bytes in one place and ${byteLength} in another.`,
      );
    }
    this.#bytes.set(key, byteLength);
    const id = view ? `${key}[${view.start}:${view.end}]` : key;
    const made = this.#storages.get(id);
    if (made) return made;
    const whole = this.#lazy(key, byteLength);
    const storage = new Storage({ id, bytes: view ? sliceSource(whole, view.start, view.end) : whole, bigEndian: this.bigEndian });
    this.#storages.set(id, storage);
    return storage;
  };

  /** Works out where every storage lies, and whether that fills the file. */
  place(): Finding[] {
    const listed = new Set(this.keys);
    for (const key of this.#bytes.keys()) {
      if (!listed.has(key))
        throw new CheckpointLoadError(
          "TORCH_STORAGE_MISSING",
          `A tensor refers to the storage "${key}" of ${this.source.name}, which its list of keys does not name.`,
        );
    }
    let at = this.dataStart;
    for (const key of this.keys) {
      const byteLength = this.#bytes.get(key);
      if (byteLength === undefined) {
        // Its element size is known only from a persistent id, and nothing refers to it.
        return [
          {
            rule: "torch-unreferenced-storage",
            severity: "warning",
            message: `The storage "${key}" belongs to no tensor; what follows it cannot be placed.`,
          },
        ];
      }
      this.#starts.set(key, at + COUNT_BYTES);
      at += COUNT_BYTES + byteLength;
    }
    if (at > this.source.size) {
      throw new CheckpointLoadError(
        "TORCH_CORRUPT",
        `${this.source.name} is cut off: its ${this.keys.length} storages end at byte ${at}, but the file has ${this.source.size}.`,
        {
          details: { expected: at, found: this.source.size },
          suggestions: ["Fetch the file again; the download may have stopped early."],
        },
      );
    }
    if (at === this.source.size) return [];
    return [
      { rule: "trailing-data", severity: "warning", message: `${this.source.size - at} bytes follow the last storage.`, at: String(at) },
    ];
  }

  /** A storage whose place is looked up, and whose element count is compared, when it is first read. */
  #lazy(key: string, byteLength: number): ByteSource {
    let checked: Promise<number> | undefined;
    const { source } = this;
    const start = (): Promise<number> => {
      checked ??= this.#check(key, byteLength).catch((error: unknown) => {
        checked = undefined;
        throw error;
      });
      return checked;
    };
    return {
      size: byteLength,
      name: `${source.name}#${key}`,
      read: async (from, to, options) => {
        const base = await start();
        return source.read(base + from, base + to, options);
      },
      readInto: async (target, from, options) => {
        const base = await start();
        if (source.readInto) await source.readInto(target, base + from, options);
        else target.set(await source.read(base + from, base + from + target.length, options));
      },
    };
  }

  async #check(key: string, byteLength: number): Promise<number> {
    const start = this.#starts.get(key);
    if (start === undefined)
      throw new CheckpointLoadError("TORCH_STORAGE_MISSING", `The place of the storage "${key}" in ${this.source.name} is not known.`);
    const count = viewOf(await this.source.read(start - COUNT_BYTES, start)).getBigInt64(0, !this.bigEndian);
    if (count < 0n || (count === 0n) !== (byteLength === 0) || (count > 0n && BigInt(byteLength) % count !== 0n)) {
      throw new CheckpointLoadError(
        "TORCH_STORAGE_SIZE",
        `The storage "${key}" of ${this.source.name} begins with the element count ${count}, which does not fit its ${byteLength} bytes.`,
        {
          details: { storage: key, count: String(count), byteLength },
        },
      );
    }
    return start;
  }
}
