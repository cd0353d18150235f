import {
  type ByteSource,
  CheckpointLoadError,
  checkRange,
  type Finding,
  readInto,
  type SignalOptions,
  Storage,
  sliceSource,
} from "@ckptkit/core";
import { viewOf } from "../zip/records.js";
import type { FindStorage, StorageRequest } from "./build-context.js";

/** Each storage begins with its element count, an int64. */
const COUNT_BYTES = 8;

/** What the persistent ids say of one storage. */
interface Declared {
  byteLength: number;
  itemBytes: number;
  bytes: ByteSource;
}

/**
 * The storages behind the pickles of a legacy file: counts and elements are little-endian whatever wrote them. Their sizes come
 * from the persistent ids, so their places are known only when all ids are.
 *
 * @see https://github.com/pytorch/pytorch torch/csrc/serialization.cpp, THPStorage_writeFileRaw
 */
export class LegacyStorages {
  readonly #source: ByteSource;
  readonly #scope: string;
  readonly #declared = new Map<string, Declared>();
  readonly #starts = new Map<string, number>();
  readonly #storages = new Map<string, Storage>();

  /** @param scope stands before the keys in the ids of storages. */
  constructor(source: ByteSource, scope = "") {
    this.#source = source;
    this.#scope = scope;
  }

  readonly find: FindStorage = (request: StorageRequest): Storage => {
    const { key, view } = request;
    const whole = this.#declare(request);
    // A view has an id of its own: JSON keeps it apart from any key.
    const id = view ? JSON.stringify([key, view.start, view.end]) : key;
    const known = this.#storages.get(id);
    if (known) return known;
    const storage = new Storage({ id: `${this.#scope}${id}`, bytes: view ? sliceSource(whole, view.start, view.end) : whole });
    this.#storages.set(id, storage);
    return storage;
  };

  #declare({ key, byteLength, itemBytes }: StorageRequest): ByteSource {
    const known = this.#declared.get(key);
    if (known && (known.byteLength !== byteLength || known.itemBytes !== itemBytes)) {
      throw new CheckpointLoadError(
        "TORCH_STORAGE_SIZE",
        `The storage "${key}" of ${this.#source.name} has ${known.byteLength} bytes in elements of ${known.itemBytes} in one place, ${byteLength} in elements of ${itemBytes} in another.`,
        { details: { storage: key } },
      );
    }
    const bytes = known?.bytes ?? this.#bytesOf(key, byteLength);
    if (!known) this.#declared.set(key, { byteLength, itemBytes, bytes });
    return bytes;
  }

  /**
   * Works out where every storage lies, and whether that fills the file.
   *
   * @param keys in the order in which the storages follow from `dataStart` on.
   * @throws {CheckpointLoadError} TORCH_STORAGE_MISSING, TORCH_CORRUPT when the file is cut off
   */
  place(keys: readonly string[], dataStart: number): Finding[] {
    const listed = new Set(keys);
    for (const key of this.#declared.keys()) if (!listed.has(key)) throw this.#missing(key, "which its list of storages lacks");
    let at = dataStart;
    for (const key of keys) {
      const declared = this.#declared.get(key);
      if (!declared) {
        // The size of its elements stands in a persistent id only, and none names it.
        const message = `The storage "${key}" belongs to no tensor: what follows it cannot be found.`;
        return [{ rule: "torch-unreferenced-storage", severity: "error", message, at: `byte ${at}` }];
      }
      this.#starts.set(key, at + COUNT_BYTES);
      at += COUNT_BYTES + declared.byteLength;
    }
    const { name, size } = this.#source;
    if (at > size) {
      throw new CheckpointLoadError(
        "TORCH_CORRUPT",
        `${name} is cut off: its ${keys.length} storages end at ${at}, but it has ${size} bytes.`,
        { details: { expected: at, found: size }, suggestions: ["Fetch the file again, or compare its size with the original's."] },
      );
    }
    if (at === size) return [];
    return [{ rule: "trailing-data", severity: "warning", message: `${size - at} bytes follow the last storage.`, at: `byte ${at}` }];
  }

  #missing(key: string, why: string): CheckpointLoadError {
    const message = `A tensor refers to the storage "${key}" of ${this.#source.name}, ${why}.`;
    return new CheckpointLoadError("TORCH_STORAGE_MISSING", message, { details: { storage: key } });
  }

  /** A storage whose place is looked up, and whose element count is compared, when it is first read. */
  #bytesOf(key: string, byteLength: number): ByteSource {
    const source = this.#source;
    let checked: number | undefined;
    const start = async (options?: SignalOptions): Promise<number> => {
      checked ??= await this.#check(key, options);
      return checked;
    };
    const storage: ByteSource = {
      size: byteLength,
      name: `${source.name}#${key}`,
      async read(from, to, options) {
        checkRange(storage, from, to);
        const base = await start(options);
        return source.read(base + from, base + to, options);
      },
      async readInto(target, from, options) {
        checkRange(storage, from, from + target.length);
        await readInto(source, target, (await start(options)) + from, options);
      },
    };
    return storage;
  }

  async #check(key: string, options?: SignalOptions): Promise<number> {
    const start = this.#starts.get(key);
    const declared = this.#declared.get(key);
    if (start === undefined || !declared) throw this.#missing(key, "whose place is not known");
    const count = viewOf(await this.#source.read(start - COUNT_BYTES, start, options)).getBigInt64(0, true);
    const { byteLength, itemBytes } = declared;
    if (count * BigInt(itemBytes) !== BigInt(byteLength)) {
      throw new CheckpointLoadError(
        "TORCH_STORAGE_SIZE",
        `The storage "${key}" of ${this.#source.name} has ${count} elements, not ${byteLength / itemBytes}.`,
        { details: { storage: key, count: String(count), byteLength, itemBytes } },
      );
    }
    return start;
  }
}
