import type { Checksum, FetchLike, OperationOptions, Platform, RetryOptions } from "@ckptkit/core";

/** What of a platform files elsewhere are reached with. Everything may be left out, as a browser has nothing but `fetch`. */
export type RemoteHost = Partial<Pick<Platform, "open" | "kernels" | "fetch" | "environment" | "s3Credentials" | "downloads">>;

/**
 * Whether a file is downloaded: `auto` reads by range, and downloads when the server knows no ranges, a checksum is to be verified
 * or a folder for copies is given; `always`; `never`.
 */
export type DownloadMode = "auto" | "always" | "never";

/** How bytes are fetched, whatever the protocol. */
export interface TransferOptions extends OperationOptions {
  /** Sent with every request for the file. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** Longest time without any byte from the server, in milliseconds (60,000): each try of a request has its own. */
  timeoutMs?: number | undefined;
  /** How often what failed is tried again; false for never. */
  retry?: RetryOptions | false | undefined;
  download?: DownloadMode | undefined;
  /** Bytes that the first request asks for (65,536): 1 where the file's beginning is at hand and only its version is in question. */
  probeBytes?: number | undefined;
  /** Folder for copies. */
  cacheDir?: string | undefined;
  /** What the file must hash to. */
  checksum?: Checksum | undefined;
}

/** The host's `fetch`, or the global one. */
export const fetchOf = (host: RemoteHost): FetchLike => host.fetch ?? ((url, init) => globalThis.fetch(url, init));

/** An environment variable of the host; undefined when it is empty, as is usual for such variables. */
export const variable = (host: RemoteHost, ...names: string[]): string | undefined =>
  names.map((name) => host.environment?.(name)).find((value) => value !== undefined && value !== "");
