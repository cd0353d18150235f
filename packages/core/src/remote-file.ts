import type { Bytes, SourceVersion } from "./byte-source.js";

/** A file that can be asked for from any byte on: what a download is made of. */
export interface RemoteFile {
  /** For people: an address without credentials. */
  readonly name: string;
  /** Tells this file from all others; may be the address with its query. Only ever kept as a hash. */
  readonly key: string;
  /** Bytes, where another interface of the server has told. */
  readonly size?: number | undefined;
  /**
   * Makes one request and hands the answer to `use`; what `use` leaves of the body is not fetched.
   *
   * @throws {CheckpointNotFoundError} NOT_FOUND
   * @throws {CheckpointSourceError} ACCESS_DENIED, HTTP_STATUS, READ_FAILED, TIMEOUT ...
   */
  request<T>(ask: RemoteRequest, use: (answer: RemoteAnswer) => Promise<T>): Promise<T>;
}

/** What is asked for. */
export interface RemoteRequest {
  /** First byte that is wanted. */
  readonly start: number;
  /**
   * The version that is here already: all of it when `start` is 0, its first `start` bytes otherwise. If that is still the
   * version at the server, the answer is `unchanged` or begins at `start`; otherwise it begins at 0.
   */
  readonly have?: SourceVersion | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What came back. */
export interface RemoteAnswer {
  /** What is here already is the server's version; there is no body. */
  readonly unchanged: boolean;
  /** Where in the file the body begins. */
  readonly start: number;
  /** Bytes of the whole file; undefined when the server does not tell. */
  readonly size: number | undefined;
  readonly version: SourceVersion;
  /** Whether a download that breaks off can go on later: the server knows ranges and names its versions. */
  readonly resumable: boolean;
  /** The body, piece by piece. Ends early only with an error, as far as the transfer itself can tell. */
  chunks(): AsyncGenerator<Bytes, void, void>;
}
