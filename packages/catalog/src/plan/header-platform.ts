import {
  type ByteSink,
  type ByteSource,
  type Bytes,
  CheckpointError,
  CheckpointSourceError,
  checkRange,
  type Platform,
  readInto,
  type SignalOptions,
} from "@ckptkit/core";
import { openUri } from "@ckptkit/formats";
import { ByteRanges } from "./byte-ranges.js";
import { limitedFetch } from "./limited-fetch.js";

/** Files that are no checkpoints and at most this long (configuration of adapters, say) are read whole. */
const SMALL_FILE_BYTES = 4 * 1024 * 1024;

/** What stages did, and what they tried to do, since it was last reset. */
export interface Activity {
  /** Bytes that stages asked for and got, from headers that had been read before. */
  servedBytes: number;
  /** Bytes that were written to nowhere. */
  writtenBytes: number;
  /** Bytes that had been written when a stage asked for the first byte of a file: the head of an output. */
  headBytes: number | undefined;
  /** Whether a stage asked for more than headers. */
  wasStopped: boolean;
  /** Sizes of the files that were opened, by their names. */
  readonly opened: Map<string, number>;
  /** Paths and addresses that would be written. */
  readonly created: string[];
}

/** How a {@link HeaderPlatform} behaves. */
export interface HeaderPlatformOptions {
  /** Whether what exists at a destination would be replaced. */
  overwrite?: boolean | undefined;
}

/**
 * A platform for dry runs. A file is opened once, as far as its headers go; stages get what was read on the way, and an error for
 * everything else. Nothing is written.
 */
export class HeaderPlatform implements Platform {
  readonly fetch;
  readonly environment;
  readonly s3Credentials;
  /** Bytes that really were read, of files and servers. */
  headerBytes = 0;
  activity: Activity = newActivity();
  /** Whether stages may make requests: sources do, to open what they name. */
  mayFetch = false;
  readonly #platform: Platform;
  readonly #options: HeaderPlatformOptions;
  readonly #files = new Map<string, Promise<HeaderFile>>();

  constructor(platform: Platform, options: HeaderPlatformOptions = {}) {
    this.#platform = platform;
    this.#options = options;
    this.environment = platform.environment?.bind(platform);
    this.s3Credentials = platform.s3Credentials?.bind(platform);
    this.fetch = limitedFetch(platform.fetch ?? ((url, init) => globalThis.fetch(url, init)), {
      mayFetch: () => this.mayFetch,
      onBytes: (count) => {
        this.headerBytes += count;
      },
      stop: () => this.#stop(),
    });
  }

  /** Begins a stage: what was done before is forgotten. */
  reset(options: { mayFetch: boolean }): void {
    this.activity = newActivity();
    this.mayFetch = options.mayFetch;
  }

  async open(uri: string, options: SignalOptions = {}): Promise<ByteSource> {
    const file = await this.#fileOf(uri, options);
    this.activity.opened.set(uri, file.source.size);
    return this.#replay(file);
  }

  /** Looks whether something is there already, as writing would; then takes bytes and forgets them. */
  async create(uri: string): Promise<ByteSink> {
    this.activity.created.push(uri);
    if (!this.#options.overwrite && !/^[a-z][a-z0-9+.-]+:\/\//i.test(uri)) {
      const existing = await this.#platform.open(uri).catch(() => undefined);
      await existing?.close?.();
      if (existing) {
        throw new CheckpointSourceError("DESTINATION_EXISTS", `${existing.name} exists already.`, {
          details: { path: uri },
          suggestions: ["Choose another name, or let it be replaced (--force)."],
        });
      }
    }
    const { activity } = this;
    let position = 0;
    return {
      name: uri,
      get position() {
        return position;
      },
      async write(bytes) {
        position += bytes.length;
        activity.writtenBytes += bytes.length;
      },
      async commit() {},
      async abort() {},
    };
  }

  kernels(): ReturnType<Platform["kernels"]> {
    return this.#platform.kernels();
  }

  /** Closes every file that was opened. */
  async close(): Promise<void> {
    for (const file of this.#files.values()) await (await file.catch(() => undefined))?.source.close?.();
    this.#files.clear();
  }

  #fileOf(uri: string, options: SignalOptions): Promise<HeaderFile> {
    const known = this.#files.get(uri);
    if (known) return known;
    const file = this.#readHeaders(uri, options);
    this.#files.set(uri, file);
    file.catch(() => this.#files.delete(uri));
    return file;
  }

  /** Opens a file as a checkpoint, with the shards that belong to it, and keeps what that reads. */
  async #readHeaders(uri: string, options: SignalOptions): Promise<HeaderFile> {
    const opened = new Map<string, HeaderFile>();
    const open = async (address: string): Promise<ByteSource> => {
      const file = { source: await this.#platform.open(address, options), ranges: new ByteRanges() };
      opened.set(address, file);
      return this.#record(file);
    };
    const broken: unknown = await openUri({ open }, uri, options).then(
      (checkpoint) => checkpoint.close(),
      (error: unknown) => error,
    );
    for (const [address, file] of opened) if (address !== uri) this.#files.set(address, Promise.resolve(file));
    const own = opened.get(uri);
    options.signal?.throwIfAborted();
    if (!own || (broken !== undefined && !(broken instanceof CheckpointError))) throw broken;
    // What is no checkpoint, or a broken one, is for the stage to tell that opens it.
    if (broken && own.source.size <= SMALL_FILE_BYTES) await this.#record(own).read(0, own.source.size, options);
    return own;
  }

  #record({ source, ranges }: HeaderFile): ByteSource {
    const keep = (start: number, bytes: Bytes): void => {
      this.headerBytes += bytes.length;
      ranges.add(start, bytes);
    };
    return readerOf(source, {
      async read(start, end, options) {
        const bytes = await source.read(start, end, options);
        keep(start, bytes);
        return bytes;
      },
      async readInto(target, start, options) {
        await readInto(source, target, start, options);
        keep(start, target);
      },
    });
  }

  #replay({ source, ranges }: HeaderFile): ByteSource {
    const check = (start: number, end: number, options: SignalOptions | undefined): void => {
      options?.signal?.throwIfAborted();
      this.activity.headBytes ??= this.activity.writtenBytes;
      checkRange(source, start, end);
      if (!ranges.covers(start, end)) throw this.#stop();
      this.activity.servedBytes += end - start;
    };
    return readerOf(source, {
      async read(start, end, options) {
        check(start, end, options);
        const bytes = new Uint8Array(end - start);
        ranges.copy(bytes, start);
        return bytes;
      },
      async readInto(target, start, options) {
        check(start, start + target.length, options);
        ranges.copy(target, start);
      },
    });
  }

  #stop(): CheckpointError {
    this.activity.wasStopped = true;
    return new CheckpointError("DRY_RUN", "A dry run reads headers only.");
  }
}

/** A file, and what of it was read. */
interface HeaderFile {
  readonly source: ByteSource;
  readonly ranges: ByteRanges;
}

/** A source that is read in another way, that others go on with when it is closed, and that no worker opens by itself. */
function readerOf({ size, name, version, address }: ByteSource, reads: Required<Pick<ByteSource, "read" | "readInto">>): ByteSource {
  return { size, name, version, address, ...reads };
}

const newActivity = (): Activity => ({
  servedBytes: 0,
  writtenBytes: 0,
  headBytes: undefined,
  wasStopped: false,
  opened: new Map(),
  created: [],
});
