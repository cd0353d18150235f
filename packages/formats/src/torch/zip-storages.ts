import { CheckpointLoadError, type Finding, Storage } from "@ckptkit/core";
import type { ZipArchive } from "../zip/archive.js";
import type { ZipEntry } from "../zip/directory.js";
import { type FindStorage, type StorageRequest, torchError } from "./build-context.js";

/** The storages of a torch archive: the records `data/<key>` of its root folder, in most of them. */
export class ZipStorages {
  readonly #archive: ZipArchive;
  readonly #folder: string;
  readonly #bigEndian: boolean;
  readonly #scope: string;
  readonly #storages = new Map<string, Storage>();
  /** Storages that have bytes, and those of them without a CRC-32. */
  #filled = 0;
  #unchecked = 0;

  /**
   * @param folder where the records are, with a slash at its end.
   * @param scope stands before the keys in the ids of storages, where a checkpoint consists of several archives.
   */
  constructor(archive: ZipArchive, folder: string, bigEndian: boolean, scope = "") {
    this.#archive = archive;
    this.#folder = folder;
    this.#bigEndian = bigEndian;
    this.#scope = scope;
  }

  readonly find: FindStorage = (request: StorageRequest): Storage => {
    const { key } = request;
    const entry = this.#entryOf(request);
    const known = this.#storages.get(key);
    if (known) return known;
    if (entry.byteLength > 0) this.#filled++;
    if (entry.byteLength > 0 && entry.crc32 === 0) this.#unchecked++;
    const storage = new Storage({
      id: `${this.#scope}${key}`,
      bytes: this.#archive.source(entry),
      // In file order, near enough: where its header begins.
      fileOffset: entry.headerStart,
      bigEndian: this.#bigEndian,
      ...(entry.crc32 === 0 ? {} : { crc: { algorithm: "crc32", value: entry.crc32 } }),
    });
    this.#storages.set(key, storage);
    return storage;
  };

  #entryOf({ key, byteLength, view }: StorageRequest): ZipEntry {
    const { name: file, entries } = this.#archive;
    if (view) throw torchError(`The storage "${key}" of ${file} is a view of another: only legacy files have those.`);
    const record = `${this.#folder}${key}`;
    const entry = entries.get(record);
    if (!entry) {
      throw new CheckpointLoadError(
        "TORCH_STORAGE_MISSING",
        `The storage "${key}" should be the record ${record} of ${file}, which is missing.`,
        {
          details: { record },
          suggestions: ["The file was not written to its end, or packed again by another tool."],
        },
      );
    }
    if (entry.byteLength !== byteLength) {
      throw new CheckpointLoadError(
        "TORCH_STORAGE_SIZE",
        `The storage "${key}" of ${file} has ${entry.byteLength} bytes, not ${byteLength}.`,
        {
          details: { record, expected: byteLength, found: entry.byteLength },
          suggestions: ["The file is damaged or made to deceive: torch refuses it."],
        },
      );
    }
    return entry;
  }

  /**
   * What the CRC-32s of the storages tell.
   *
   * @param mainHasCrc whether the writer recorded one for the pickle.
   */
  findings(mainHasCrc: boolean): Finding[] {
    if (this.#unchecked === 0) return [];
    const count = `${this.#unchecked} of ${this.#filled} storages`;
    if (!mainHasCrc || this.#unchecked < this.#filled) {
      const message = `${count} have no CRC-32: damage to their bytes cannot be seen.`;
      return [{ rule: "no-crc", severity: "info", message }];
    }
    return [
      {
        rule: "weights-not-written",
        severity: "warning",
        message: `None of the ${this.#filled} storages has a CRC-32, as after torch.serialization.skip_data(): their bytes may never have been written.`,
      },
    ];
  }
}
