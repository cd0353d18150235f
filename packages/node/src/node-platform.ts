import {
  CheckpointConfigError,
  CheckpointSourceError,
  type HttpSourceOptions,
  type Kernels,
  type Platform,
  type RetryOptions,
} from "@ckptkit/core";
import type { OpenRemoteOptions } from "@ckptkit/remote";
import { isHttpAddress, isRemoteAddress, isS3Address, unsupportedAddress } from "@ckptkit/remote/addresses";
import type { rememberedS3Credentials } from "./aws-credentials.js";
import type { FolderDownloadsOptions } from "./downloads/folder-downloads.js";
import { type FileSinkOptions, fileSink } from "./file-sink.js";
import { fileSource } from "./file-source.js";
import { fileSourceSync } from "./file-source-sync.js";
import { listFolder } from "./list-folder.js";
import { loadNodeKernels } from "./load-kernels.js";
import { type PlatformWorkersOptions, platformPool } from "./pool/platform-pool.js";

/** What {@link nodePlatform} takes. */
export interface NodePlatformOptions {
  /** How requests are made: another `fetch`, time-outs, and headers, which go to `http:` and `https:` addresses only. */
  http?: Pick<HttpSourceOptions, "fetch" | "headers" | "timeoutMs"> | undefined;
  /** How often failed requests are repeated; false for never. */
  retry?: RetryOptions | false | undefined;
  /** Buckets, the Hugging Face Hub and MLflow, where the environment is not to tell. */
  remote?: Pick<OpenRemoteOptions, "s3" | "huggingFace" | "mlflow" | "download"> | undefined;
  /** Where copies of remote files are kept. */
  downloads?: FolderDownloadsOptions | undefined;
  /** How files are written. */
  sink?: FileSinkOptions | undefined;
  /** The threads that run kernels; false for none. */
  workers?: PlatformWorkersOptions | false | undefined;
}

/** A scheme of two letters and more: one letter is a drive of Windows. */
const SCHEME = /^([a-z][a-z0-9+.-]+):/i;

/**
 * Files and remote addresses as Node.js reaches them, and the fastest kernels that run in it.
 *
 * @example
 * const platform = nodePlatform({ http: { headers: { Authorization: "Bearer ..." } } });
 * const source = await platform.open("s3://my-models/last.ckpt");
 */
export function nodePlatform(options: NodePlatformOptions = {}): Platform {
  const { http = {}, retry, remote } = options;
  let kernels: Promise<Kernels> | undefined;
  let credentials: Promise<ReturnType<typeof rememberedS3Credentials>> | undefined;
  const loadOnce = (): Promise<Kernels> => {
    kernels ??= loadNodeKernels().catch((error: unknown) => {
      kernels = undefined;
      throw error;
    });
    return kernels;
  };
  const platform: Platform = {
    async open(uri, { signal, onProgress } = {}) {
      if (isRemoteAddress(uri)) {
        const { timeoutMs } = http;
        const { openRemote } = await import("./remote.js");
        const headers = isHttpAddress(uri) ? http.headers : undefined;
        return openRemote(uri, platform, { ...remote, headers, timeoutMs, retry, signal, onProgress });
      }
      const scheme = schemeOf(uri);
      if (scheme === undefined || scheme === "file") return fileSource(uri, { signal });
      throw unsupportedAddress(uri);
    },
    openSync(uri) {
      const scheme = schemeOf(uri);
      if (scheme === undefined || scheme === "file") return fileSourceSync(uri);
      throw new CheckpointConfigError("STAGE_ASYNC_ONLY", `Addresses that begin with ${scheme}: can only be opened by waiting.`, {
        details: { scheme },
        suggestions: ["Use the asynchronous way: execute() instead of executeSync()."],
      });
    },
    async list(uri, { signal } = {}) {
      return isRemoteAddress(uri) ? undefined : listFolder(uri, { signal });
    },
    async create(uri) {
      const scheme = schemeOf(uri);
      if (scheme === undefined || scheme === "file") return fileSink(uri, options.sink);
      if (isS3Address(uri)) {
        const { s3Sink } = await import("./remote.js");
        return s3Sink(uri, platform, { ...remote?.s3, retry, overwrite: options.sink?.overwrite });
      }
      throw new CheckpointSourceError(
        "UNSUPPORTED_URI",
        `Addresses that begin with ${scheme}: cannot be written. Supported are paths, file: and s3:// addresses.`,
        { details: { scheme }, suggestions: ["Write a file here, and copy it there."] },
      );
    },
    async edit(uri, { signal } = {}) {
      const scheme = schemeOf(uri);
      if (scheme === undefined || scheme === "file") return (await import("./edit/editable-file.js")).editableFile(uri, { signal });
      throw new CheckpointSourceError(
        "UNSUPPORTED_URI",
        `Addresses that begin with ${scheme}: cannot be changed in their place: only files of this machine can.`,
        { details: { scheme }, suggestions: ["Change a copy of it here, and put that there."] },
      );
    },
    kernels: loadOnce,
    ...(options.workers !== false && { pool: platformPool(options.workers) }),
    fetch: http.fetch,
    environment: (name) => process.env[name],
    async s3Credentials(asked) {
      credentials ??= import("./aws-credentials.js").then((module) => module.rememberedS3Credentials());
      return (await credentials)(asked);
    },
    downloads: {
      async open(file, asked) {
        const { folderDownloads } = await import("./downloads/folder-downloads.js");
        return folderDownloads(options.downloads ?? {}, loadOnce).open(file, asked);
      },
    },
  };
  return platform;
}

/** The scheme of an address; undefined for a path. A colon alone makes no address: file names may hold one. */
function schemeOf(uri: string): string | undefined {
  const scheme = SCHEME.exec(uri)?.[1]?.toLowerCase();
  if (isRemoteAddress(uri)) return scheme;
  return scheme !== undefined && (scheme === "file" || uri.startsWith("://", scheme.length)) ? scheme : undefined;
}
