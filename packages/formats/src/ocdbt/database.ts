import { type ByteSource, checkLimit, type Limits, memorySource, type SignalOptions, sliceSource } from "@ckptkit/core";
import { OpenValues } from "../zarr/open-values.js";
import type { KeyStore } from "../zarr/store.js";
import { ocdbtError } from "./errors.js";
import { byteText, utf8 } from "./file-table.js";
import { type Manifest, type NodePlace, readManifest } from "./manifest.js";
import { type BtreeNode, readNode, type ValuePlace } from "./node.js";

/** The file by which a database is found. */
export const MANIFEST = "manifest.ocdbt";
/** Nodes that are kept: the way to the leaves of the arrays that are read. */
const MOST_NODES = 256;
const NUMBERED = /^manifest\.[0-9a-f]{16}$/;

/** A database of keys and values in the files of a folder, read key by key. */
export class OcdbtDatabase implements KeyStore {
  readonly name: string;
  readonly #folder: KeyStore;
  readonly #limits: Limits;
  readonly #root: NodePlace | undefined;
  readonly #files = new OpenValues();
  readonly #nodes = new Map<string, Promise<BtreeNode>>();

  /** @param folder the files of the database by their paths. */
  private constructor(name: string, folder: KeyStore, root: NodePlace | undefined, limits: Limits) {
    this.name = name;
    this.#folder = folder;
    this.#root = root;
    this.#limits = limits;
  }

  /**
   * Opens the database of a folder; undefined when there is none.
   *
   * @throws {CheckpointLoadError} OCDBT_CORRUPT, COMPRESSION_CORRUPT
   */
  static async open(folder: KeyStore, limits: Limits, options?: SignalOptions): Promise<OcdbtDatabase | undefined> {
    const manifest = await manifestAt(folder, MANIFEST, limits, options);
    if (!manifest?.isNumbered) return manifest && new OcdbtDatabase(folder.name, folder, manifest.root, limits);
    const names = await folder.list("");
    const last = names
      ?.filter((name) => NUMBERED.test(name))
      .sort()
      .at(-1);
    if (last === undefined) {
      throw ocdbtError(
        MANIFEST,
        names
          ? "no numbered manifest is beside it"
          : "its latest version is in a numbered manifest, and the place that it lies in does not list its files",
      );
    }
    const numbered = await manifestAt(folder, last, limits, options);
    return new OcdbtDatabase(folder.name, folder, numbered?.root, limits);
  }

  async open(key: string, options?: SignalOptions): Promise<ByteSource | undefined> {
    const value = await this.#find(byteText(key), options);
    if (!value) return undefined;
    if ("bytes" in value) return memorySource(value.bytes, key);
    const { file, offset, length } = value;
    const source = await this.#file(file);
    if (offset + length > source.size) throw ocdbtError(file, `the value of ${key} at ${offset} of ${length} bytes is not within it`);
    return sliceSource(source, offset, offset + length, key);
  }

  async list(): Promise<undefined> {
    return undefined;
  }

  /** All keys, in their order. @throws {CheckpointLoadError} OCDBT_CORRUPT, LIMIT_EXCEEDED */
  async *keys(options?: SignalOptions): AsyncGenerator<string, void, void> {
    if (!this.#root) return;
    const waiting: { place: NodePlace; prefix: string }[] = [{ place: this.#root, prefix: "" }];
    let count = 0;
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      options?.signal?.throwIfAborted();
      const { prefix } = next;
      const node = await this.#node(next.place, options);
      count += node.keys.length;
      checkLimit(this.#limits, "metadataValues", count, `Keys of ${this.name}`);
      if (node.kind === "leaf") for (const key of node.keys) yield utf8(prefix + key);
      else {
        const below = node.nodes.map((place, index) => ({
          place,
          prefix: prefix + (node.keys[index] ?? "").slice(0, node.prefixes[index]),
        }));
        waiting.push(...below.reverse());
      }
    }
  }

  async close(): Promise<void> {
    await this.#files.close();
  }

  async #find(key: string, options?: SignalOptions): Promise<ValuePlace | undefined> {
    let place = this.#root;
    let rest = key;
    while (place) {
      const node: BtreeNode = await this.#node(place, options);
      const index = lastUpTo(node.keys, rest);
      if (node.kind === "leaf") return node.keys[index] === rest ? node.values[index] : undefined;
      const prefix = (node.keys[index] ?? "").slice(0, node.prefixes[index]);
      if (index < 0 || !rest.startsWith(prefix)) return undefined;
      rest = rest.slice(prefix.length);
      place = node.nodes[index];
    }
    return undefined;
  }

  #node(place: NodePlace, options?: SignalOptions): Promise<BtreeNode> {
    const key = `${place.file.path}:${place.offset}:${place.height}:${place.file.base}`;
    const known = this.#nodes.get(key);
    this.#nodes.delete(key);
    const node = known ?? this.#readNode(place, options);
    this.#nodes.set(key, node);
    // What failed, or was given up, is read again by the next who asks.
    node.catch(() => this.#nodes.delete(key));
    for (const oldest of this.#nodes.keys()) {
      if (this.#nodes.size <= MOST_NODES) break;
      this.#nodes.delete(oldest);
    }
    return node;
  }

  async #readNode(place: NodePlace, options?: SignalOptions): Promise<BtreeNode> {
    const { file, offset, length } = place;
    const name = `The node at ${offset} of ${file.path}`;
    checkLimit(this.#limits, "headerBytes", length, `Bytes of ${name}`);
    const source = await this.#file(file.path);
    if (offset + length > source.size) throw ocdbtError(name, `it has ${length} bytes, which are not within the file`);
    return readNode(await source.read(offset, offset + length, options), place, name, this.#limits, options);
  }

  async #file(path: string): Promise<ByteSource> {
    const source = await this.#files.lend(path, () => this.#folder.open(path));
    if (!source) throw ocdbtError(path, "the file is missing");
    return source;
  }
}

async function manifestAt(folder: KeyStore, name: string, limits: Limits, options?: SignalOptions): Promise<Manifest | undefined> {
  const source = await folder.open(name, options);
  if (!source) return undefined;
  try {
    checkLimit(limits, "headerBytes", source.size, `Size of ${source.name}`);
    return await readManifest(await source.read(0, source.size, options), source.name, limits, options);
  } finally {
    await source.close?.();
  }
}

/** The index of the last key that is not behind another; -1 when all are. */
function lastUpTo(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((keys[middle] ?? "") <= key) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
