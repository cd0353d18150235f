import type { ByteSink } from "./byte-sink.js";
import type { ByteSource } from "./byte-source.js";
import type { Checksum } from "./checksum.js";
import type { EditableFile } from "./editable-file.js";
import type { FetchLike } from "./http-request.js";
import type { KernelPool } from "./kernel-pool.js";
import type { Kernels } from "./kernels.js";
import type { OperationOptions, SignalOptions } from "./progress.js";
import type { RemoteFile } from "./remote-file.js";
import type { RetryOptions } from "./retry-source.js";

/** What an adapter (Node, browser) gives to everything above it. */
export interface Platform {
  /** Opens a path or address for reading. @throws {CheckpointNotFoundError} NOT_FOUND */
  open(uri: string, options?: OperationOptions): Promise<ByteSource>;
  /** Opens a path for reading without waiting, giving a source with `readSync`; left out where files cannot be read so. */
  openSync?(uri: string): ByteSource;
  /**
   * Names of what lies in a folder, those of folders with "/" at their end; undefined where that cannot be told, as of web servers. Left out
   * where nothing can be listed at all.
   *
   * @throws {CheckpointNotFoundError} NOT_FOUND
   */
  list?(uri: string, options?: SignalOptions): Promise<readonly string[] | undefined>;
  /** Opens a path or address for writing; nothing shows there before `commit`. */
  create(uri: string): Promise<ByteSink>;
  /** Opens a path for changing it in its place; left out where files cannot be changed so. @throws {CheckpointNotFoundError} NOT_FOUND */
  edit?(uri: string, options?: SignalOptions): Promise<EditableFile>;
  /** The fastest kernels that run here. */
  kernels(): Promise<Kernels>;
  /**
   * Threads that run them, shared by all who ask; undefined where none can be had, or where starting them would take longer than
   * they save. Left out where there are no threads.
   *
   * @param work how many bytes are to be worked on, where that is known
   */
  pool?(work?: { readonly byteLength: number }): Promise<KernelPool | undefined>;
  /** Makes requests; the global `fetch` when left out. */
  readonly fetch?: FetchLike | undefined;
  /** The value of an environment variable, where there is an environment: tokens, regions, addresses of servers. */
  environment?(name: string): string | undefined;
  /** Credentials of this machine's user for S3; undefined when there are none. */
  s3Credentials?(options?: SignalOptions): Promise<S3Credentials | undefined>;
  /** Keeps whole copies of remote files; left out where nothing can be kept. */
  readonly downloads?: Downloads | undefined;
}

/** What signs requests to S3. Never logged and never part of a message. */
export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Comes with temporary credentials. */
  readonly sessionToken?: string | undefined;
  /** When they stop being valid, in milliseconds since 1970; undefined for permanent ones. */
  readonly expiresAt?: number | undefined;
}

/** Copies of remote files, in a folder of this machine. */
export interface Downloads {
  /**
   * Opens the copy of a remote file. What of it is missing or out of date is fetched first: a download that was cut off
   * goes on where it stopped, several processes that want the same file fetch it once, and a copy shows only when it is whole.
   *
   * @throws {CheckpointIntegrityError} CHECKSUM_MISMATCH, and nothing is kept then
   * @throws what `file.request` throws
   */
  open(file: RemoteFile, options?: DownloadOptions): Promise<ByteSource>;
}

/** How a file is downloaded. */
export interface DownloadOptions extends OperationOptions {
  /** The folder of copies; the platform's own when left out. */
  folder?: string | undefined;
  /** What the whole file must hash to. */
  checksum?: Checksum | undefined;
  /** How often failed requests are repeated without any progress between them. */
  retry?: RetryOptions | false | undefined;
}
