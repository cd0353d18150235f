import {
  type ByteSource,
  CheckpointSourceError,
  type HttpSourceOptions,
  httpSource,
  type Kernels,
  type Platform,
  type RetryOptions,
  retrySource,
  withRetries,
} from "@ckptkit/core";
import { type FileSinkOptions, fileSink } from "./file-sink.js";
import { fileSource } from "./file-source.js";
import { loadNodeKernels } from "./load-kernels.js";

/** What {@link nodePlatform} takes. */
export interface NodePlatformOptions {
  /** How addresses are read: headers, time-outs, another `fetch`. */
  http?: Omit<HttpSourceOptions, "signal"> | undefined;
  /** How often failed requests are repeated; false for never. */
  retry?: RetryOptions | false | undefined;
  /** How files are written. */
  sink?: FileSinkOptions | undefined;
}

/** A scheme of two letters and more: one letter is a drive of Windows. */
const SCHEME = /^([a-z][a-z0-9+.-]+):/i;

/** What to do about addresses that people try and that have no source here. */
const HINTS: Readonly<Record<string, string>> = {
  s3: "Make a signed https:// address for the object (aws s3 presign), or copy it here first.",
  gs: "Make a signed https:// address for the object (gcloud storage sign-url), or copy it here first.",
  hf: "Use the file's address: https://huggingface.co/OWNER/REPOSITORY/resolve/REVISION/FILE.",
};

/**
 * Files and HTTP addresses as Node.js reaches them, and the fastest kernels that run in it.
 *
 * @example
 * const platform = nodePlatform({ http: { headers: { Authorization: "Bearer ..." } } });
 * const source = await platform.open("https://example.org/model.ckpt");
 */
export function nodePlatform(options: NodePlatformOptions = {}): Platform {
  const openHttp = async (uri: string, signal: AbortSignal | undefined): Promise<ByteSource> => {
    const { retry = {} } = options;
    const open = (): Promise<ByteSource> => httpSource(uri, { ...options.http, signal });
    return retry === false ? open() : retrySource(await withRetries(open, { ...retry, signal }), retry);
  };
  let kernels: Promise<Kernels> | undefined;
  return {
    async open(uri, { signal } = {}) {
      const scheme = schemeOf(uri);
      if (scheme === "http" || scheme === "https") return openHttp(uri, signal);
      if (scheme === undefined || scheme === "file") return fileSource(uri, { signal });
      throw unsupported(scheme, "read", "paths, file:, http:// and https:// addresses");
    },
    async create(uri) {
      const scheme = schemeOf(uri);
      if (scheme === undefined || scheme === "file") return fileSink(uri, options.sink);
      throw unsupported(scheme, "written", "paths and file: addresses");
    },
    kernels() {
      kernels ??= loadNodeKernels().catch((error: unknown) => {
        kernels = undefined;
        throw error;
      });
      return kernels;
    },
  };
}

/** The scheme of an address; undefined for a path. A colon alone makes no address: file names may hold one. */
function schemeOf(uri: string): string | undefined {
  const scheme = SCHEME.exec(uri)?.[1]?.toLowerCase();
  return scheme !== undefined && (scheme === "file" || uri.startsWith("://", scheme.length)) ? scheme : undefined;
}

function unsupported(scheme: string, verb: string, supported: string): CheckpointSourceError {
  const hint = HINTS[scheme];
  return new CheckpointSourceError(
    "UNSUPPORTED_URI",
    `Addresses that begin with ${scheme}: cannot be ${verb}. Supported are ${supported}.`,
    {
      details: { scheme },
      suggestions: hint === undefined ? [] : [hint],
    },
  );
}
