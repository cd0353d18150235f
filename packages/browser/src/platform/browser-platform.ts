import {
  blobSource,
  CheckpointError,
  CheckpointSourceError,
  type HttpSourceOptions,
  httpFile,
  type KernelPool,
  type Kernels,
  type Platform,
  type RetryOptions,
  type S3Credentials,
} from "@ckptkit/core";
import {
  isHttpAddress,
  isRemoteAddress,
  isS3Address,
  type OpenRemoteOptions,
  openRemote,
  s3Sink,
  unsupportedAddress,
} from "@ckptkit/remote";
import type { RangeCache } from "../cache/range-cache.js";
import { fileHandleSource } from "../files/file-handle-source.js";
import { isOpfsAddress } from "../opfs/opfs-path.js";
import { type OpfsSinkOptions, opfsSink } from "../opfs/opfs-sink.js";
import { opfsSource } from "../opfs/opfs-source.js";
import { type WorkerPoolOptions, workerPool } from "../pool/worker-pool.js";
import { blobUrlSource, isBlobUrl } from "../remote/blob-url-source.js";
import { type CopyOptions, copies } from "../remote/copies.js";
import { withDescriptor } from "../remote/descriptor.js";
import { diagnosingFetch } from "../remote/diagnosing-fetch.js";
import { downloadSink, saveFile } from "../sinks/download-sink.js";
import { pickerSink } from "../sinks/picker-sink.js";
import { loadBrowserKernels } from "./load-kernels.js";

/** What {@link browserPlatform} takes. */
export interface BrowserPlatformOptions {
  /** How requests are made: another `fetch`, time-outs, and headers, which go to `http:` and `https:` addresses only. */
  http?: Pick<HttpSourceOptions, "fetch" | "headers" | "timeoutMs"> | undefined;
  /** How often failed requests are repeated (3 times, from half a second on); false for never. */
  retry?: RetryOptions | false | undefined;
  /** Buckets, the Hugging Face Hub and MLflow. */
  remote?: Pick<OpenRemoteOptions, "s3" | "huggingFace" | "mlflow" | "download"> | undefined;
  /** What signs requests to S3; buckets are read without a signature when left out. */
  s3Credentials?: S3Credentials | NonNullable<Platform["s3Credentials"]> | undefined;
  /** Keeps ranges of remote files: `rangeCache()`. Nothing is kept when left out. */
  cache?: RangeCache | undefined;
  /** Which files are downloaded whole, where a server leaves no other way. */
  downloads?: CopyOptions | undefined;
  /** The Web Workers that run kernels; false for none. */
  workers?: WorkerPoolOptions | false | undefined;
  /** How files of the origin private file system are written. */
  sink?: OpfsSinkOptions | undefined;
  /** Is given the finished files of `download:` addresses; saves them when left out, which only pages can. */
  onFile?: ((file: File) => void) | undefined;
}

/** A platform that also knows files by handle. */
export interface BrowserPlatform extends Platform {
  /** Gives a file or its handle an address, for what takes addresses: `openUri`, pipelines. A handle's file can also be written. */
  register(file: File | FileSystemFileHandle): string;
}

const DEFAULT_RETRY: RetryOptions = { retries: 3, baseDelayMs: 500 };
const REGISTERED = /^file-handle:(\d+)\//;
const DOWNLOAD = /^download:\/*(.+)$/i;

/**
 * What a page or worker reaches, and the fastest kernels that run in it. Addresses to read: `https:`, `http:`, `s3:`, `hf:`, MLflow's, `blob:`,
 * `opfs:/path`, and anything without a scheme, relative to the page. Addresses to write: `opfs:/path`, `download:name`, `s3:`.
 *
 * @example
 * const platform = browserPlatform({ http: { headers: { Authorization: "Bearer ..." } } });
 * const checkpoint = await openCheckpoint("https://example.org/model.ckpt", { platform });
 */
export function browserPlatform(options: BrowserPlatformOptions = {}): BrowserPlatform {
  const { http = {}, retry = DEFAULT_RETRY, remote, s3Credentials, cache } = options;
  const registered: (File | FileSystemFileHandle)[] = [];
  let kernels: Promise<Kernels> | undefined;
  let pool: Promise<KernelPool | undefined> | undefined;

  const registeredAt = (uri: string): File | FileSystemFileHandle | undefined => {
    const index = REGISTERED.exec(uri)?.[1];
    return index === undefined ? undefined : registered[Number(index)];
  };

  const platform: BrowserPlatform = {
    async open(uri, { signal, onProgress } = {}) {
      if (isRemoteAddress(uri)) {
        const { timeoutMs } = http;
        const headers = isHttpAddress(uri) ? http.headers : undefined;
        const key = isHttpAddress(uri) ? httpFile(uri).key : uri;
        // What is kept of the beginning need not be asked for again: one byte tells version and size.
        const probeBytes = (await cache?.has(key)) ? 1 : undefined;
        const opened = await openRemote(uri, platform, { ...remote, headers, timeoutMs, retry, probeBytes, signal, onProgress });
        if (opened.descriptor?.()?.kind === "blob") return opened;
        const source = isHttpAddress(uri) && !http.fetch ? withDescriptor(opened, uri, http) : opened;
        return cache ? cache.wrap(source, key) : source;
      }
      signal?.throwIfAborted();
      if (isOpfsAddress(uri)) return opfsSource(uri);
      if (isBlobUrl(uri)) return blobUrlSource(uri);
      const file = registeredAt(uri);
      if (file) return file instanceof File ? blobSource(file) : fileHandleSource(file);
      if (/^[a-z][a-z0-9+.-]*:/i.test(uri)) throw unsupportedAddress(uri);
      return platform.open(new URL(uri, globalThis.document?.baseURI ?? location.href).href, { signal, onProgress });
    },
    async create(uri) {
      if (isOpfsAddress(uri)) return opfsSink(uri, options.sink);
      if (isS3Address(uri)) return s3Sink(uri, platform, { ...remote?.s3, retry, overwrite: options.sink?.overwrite });
      const name = DOWNLOAD.exec(uri)?.[1];
      if (name !== undefined) return downloadSink(name, { onFile: options.onFile ?? pageSaver(name) });
      const file = registeredAt(uri);
      if (file && !(file instanceof File)) return pickerSink(file);
      throw new CheckpointSourceError(
        "UNSUPPORTED_URI",
        "A page cannot write to this address. It can to opfs:/path, download:name and s3://.",
        {
          suggestions: ["Ask for a file with chooseSaveSink, or write download:NAME."],
        },
      );
    },
    kernels() {
      kernels ??= loadBrowserKernels().catch((error: unknown) => {
        kernels = undefined;
        throw error;
      });
      return kernels;
    },
    ...(options.workers !== false && {
      pool() {
        pool ??= startPool(options.workers || {});
        return pool;
      },
    }),
    fetch: diagnosingFetch(http.fetch),
    downloads: copies(options.downloads, () => platform.kernels()),
    ...(s3Credentials && { s3Credentials: typeof s3Credentials === "function" ? s3Credentials : async () => s3Credentials }),
    register(file) {
      return `file-handle:${registered.push(file) - 1}/${file.name}`;
    },
  };
  return platform;
}

/** Saves files as downloads, where there is a page to do it. @throws {CheckpointSourceError} UNSUPPORTED_URI in a worker */
function pageSaver(name: string): (file: File) => void {
  if (typeof document !== "undefined") return saveFile;
  throw new CheckpointSourceError("UNSUPPORTED_URI", `A worker cannot save ${name} as a download: only a page can.`, {
    suggestions: ["Give browserPlatform({ onFile: (file) => postMessage(file) }), and call saveFile(file) on the page."],
  });
}

/** The pool; undefined where workers cannot be started, as everything works without them too. */
async function startPool(options: WorkerPoolOptions): Promise<KernelPool | undefined> {
  try {
    return await workerPool(options);
  } catch (error) {
    if (error instanceof CheckpointError && error.code === "WORKERS_UNAVAILABLE") return undefined;
    throw error;
  }
}
