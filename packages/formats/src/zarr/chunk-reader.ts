import { type ByteSource, type Bytes, checkLimit, type Limits, readInto, type SignalOptions, sliceSource } from "@ckptkit/core";
import type { ChunkCache } from "../chunks/chunk-cache.js";
import type { ReadChunk } from "../chunks/grid-source.js";
import type { ChunkGrid } from "../hdf5/chunk-grid.js";
import type { ShardLayout, ZarrArray } from "./array.js";
import { zarrError } from "./errors.js";
import type { OpenValues } from "./open-values.js";
import type { KeyStore } from "./store.js";
import { untransposed } from "./transpose.js";
import { inMemory, undoCodecs } from "./undo-codecs.js";

/** What the arrays of a checkpoint share. */
export interface ArrayContext {
  readonly store: KeyStore;
  readonly limits: Limits;
  readonly cache: ChunkCache<string>;
  readonly files: OpenValues;
  /** Chunks that are being decoded in pieces. */
  readonly streams: OpenValues;
}

/** Chunks up to this size are decoded whole; of larger ones as much as is read, in order. */
const WHOLE_BYTES = 16 * 1024 * 1024;
/** Indexes of shards that are kept. */
const MOST_INDEXES = 64;
/** What stands in the index of a shard for a chunk that was not written. */
const MISSING = 2n ** 64n - 1n;

/** Reads the chunks of one array. */
export class ChunkReader {
  readonly #array: ZarrArray;
  readonly #grid: ChunkGrid;
  readonly #context: ArrayContext;
  readonly #prefix: string;
  readonly #chunkBytes: number;
  /** Whether a chunk's elements follow one another in the array: no part of it is read twice then. */
  readonly #isOneRun: boolean;
  readonly #indexes = new Map<string, BigUint64Array>();

  /** @param prefix the array's own key, with "/" at its end; "" at the root */
  constructor(array: ZarrArray, grid: ChunkGrid, prefix: string, context: ArrayContext) {
    this.#array = array;
    this.#grid = grid;
    this.#context = context;
    this.#prefix = prefix;
    this.#isOneRun = array.chunkShape.every((size, axis) => axis === 0 || size === array.shape[axis]);
    this.#chunkBytes = array.chunkShape.reduce((product, size) => product * size, array.bits / 8);
  }

  /** The way to the bytes of a chunk by its number; undefined for one that was not written. */
  async reader(number: number, options: SignalOptions): Promise<ReadChunk | undefined> {
    const { cache, limits, streams } = this.#context;
    const { codecs, order, chunkShape, bits } = this.#array;
    const key = `${this.#prefix}#${number}`;
    const kept = cache.get(key, this.#chunkBytes);
    if (kept) return fromMemory(kept);
    const stored = await this.#stored(number, options);
    if (!stored) return undefined;
    const isSmall = this.#chunkBytes <= WHOLE_BYTES;
    if (codecs.length === 0 && stored.size !== this.#chunkBytes) {
      throw zarrError(stored.name, `the chunk has ${stored.size} bytes, where its array needs ${this.#chunkBytes}`);
    }
    if (codecs.length === 0 && !order && (!isSmall || this.#isOneRun)) return (target, start) => readInto(stored, target, start, options);
    const decode = async (): Promise<ByteSource> => {
      const isHeld = isSmall && stored.size <= 2 * WHOLE_BYTES;
      return undoCodecs(codecs, isHeld ? await inMemory(stored, options) : stored, this.#chunkBytes, limits);
    };
    if (!isSmall && !order)
      return (target, start) => streams.use(key, decode, async (decoded) => decoded && readInto(decoded, target, start, options));
    checkLimit(limits, "inflatedBytes", this.#chunkBytes, `Bytes of ${stored.name}`);
    const decoded = await decode();
    try {
      const bytes = await decoded.read(0, this.#chunkBytes, options);
      const whole = order ? untransposed(bytes, chunkShape, order, bits / 8) : bytes;
      cache.keep(key, whole);
      return fromMemory(whole);
    } finally {
      await decoded.close?.();
    }
  }

  /** The bytes of a chunk as they are stored. */
  async #stored(number: number, options: SignalOptions): Promise<ByteSource | undefined> {
    const { shards, keyOf } = this.#array;
    const { store, files } = this.#context;
    const steps = this.#grid.stepsOf(number);
    if (!shards) {
      const key = this.#prefix + keyOf(steps);
      return files.lend(key, () => store.open(key));
    }
    const { counts } = shards;
    const key = this.#prefix + keyOf(steps.map((step, axis) => Math.floor(step / (counts[axis] ?? 1))));
    const inner = steps.reduce((sum, step, axis) => sum * (counts[axis] ?? 1) + (step % (counts[axis] ?? 1)), 0);
    const shard = await files.lend(key, () => store.open(key));
    if (!shard) return undefined;
    const index = await this.#indexOf(key, shard, shards, options);
    const [offset = MISSING, length = MISSING] = index.subarray(2 * inner, 2 * inner + 2);
    if (offset === MISSING && length === MISSING) return undefined;
    if (offset + length > BigInt(shard.size)) throw zarrError(shard.name, `the chunk ${inner} of the shard is not within it`);
    return sliceSource(shard, Number(offset), Number(offset + length), `${shard.name}#${inner}`);
  }

  /** Where the chunks of a shard are: offset and length of each. */
  async #indexOf(
    key: string,
    shard: ByteSource,
    { counts, indexCodecs, isIndexAtEnd, isIndexBigEndian }: ShardLayout,
    options: SignalOptions,
  ): Promise<BigUint64Array> {
    const known = this.#indexes.get(key);
    if (known) return known;
    const { limits } = this.#context;
    const count = counts.reduce((product, size) => product * size, 1);
    checkLimit(limits, "metadataValues", count, `Chunks in ${shard.name}`);
    const storedBytes = 16 * count + 4 * indexCodecs.length;
    if (storedBytes > shard.size)
      throw zarrError(shard.name, `the shard has ${shard.size} bytes, where its index alone needs ${storedBytes}`);
    const start = isIndexAtEnd ? shard.size - storedBytes : 0;
    const stored = sliceSource(shard, start, start + storedBytes, `the index of ${shard.name}`);
    const bytes = await undoCodecs(indexCodecs, await inMemory(stored, options), 16 * count, limits).read(0, 16 * count, options);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const index = BigUint64Array.from({ length: 2 * count }, (_, at) => view.getBigUint64(8 * at, !isIndexBigEndian));
    if (this.#indexes.size >= MOST_INDEXES) this.#indexes.clear();
    this.#indexes.set(key, index);
    return index;
  }
}

const fromMemory =
  (bytes: Bytes): ReadChunk =>
  async (target, start) =>
    target.set(bytes.subarray(start, start + target.length));
