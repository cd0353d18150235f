import type { EngineError } from "../engine/errors.js";

/** An error in a person's words. */
export interface ExplainedError {
  readonly title: string;
  readonly suggestions: readonly string[];
  /** Settings to copy, where some server has to be set up. */
  readonly code?: string | undefined;
}

const TITLES: Readonly<Record<string, string>> = {
  NOT_FOUND: "There is nothing at this address",
  ACCESS_DENIED: "The server does not let this page read the file",
  HTTP_RANGE_NOT_SUPPORTED: "The server cannot send a part of a file",
  HTTP_STATUS: "The server answered with an error",
  READ_FAILED: "The file could not be reached",
  SOURCE_CHANGED: "The file has changed since it was opened",
  TIMEOUT: "The server did not answer in time",
  UNSUPPORTED_URI: "Addresses of this kind cannot be opened",
  EMPTY_FILE: "The file is empty",
  UNKNOWN_FORMAT: "This does not look like a checkpoint",
  PACKED_FILE: "The file is packed: unpack it first",
  UNSUPPORTED_FORMAT: "This format cannot be opened yet",
  LFS_POINTER: "This is a pointer to the file, not the file",
  LIMIT_EXCEEDED: "A safety limit was reached",
  ZIP_NO_END_RECORD: "The file is cut off",
  PICKLE_TRUNCATED: "The file is cut off",
  CRC_MISMATCH: "The file is damaged",
  ZIP_CORRUPT: "The file is damaged",
  PICKLE_CORRUPT: "The file is damaged",
  TORCH_CORRUPT: "The file is damaged",
  TORCH_STORAGE_SIZE: "The file is damaged",
  TORCH_STORAGE_MISSING: "A part of the file is missing",
  TENSOR_OUT_OF_BOUNDS: "The file is damaged",
  SAFETENSORS_HEADER: "The file is damaged",
  SAFETENSORS_OFFSETS: "The file is damaged",
  UNKNOWN_TENSOR: "There is no such tensor in this checkpoint",
  SAFETENSORS_INDEX: "A shard is missing, or of another version",
  CORS_BLOCKED: "The server does not let pages of other sites read this file",
  MIXED_CONTENT: "A secure page cannot read from an insecure address",
  CSP_BLOCKED: "This page may not read from that server",
  OFFLINE: "There is no network connection",
  INVALID_ARGUMENT: "This cannot be used",
  KERNELS_UNAVAILABLE: "WebAssembly cannot run on this page",
  CODE_UNAVAILABLE: "A part of this page could not be loaded",
  INTERNAL: "Something went wrong in the page itself",
};

/** What a server has to answer with, so that pages elsewhere may read its files by range. */
const corsHeaders = (origin: string): string => `Access-Control-Allow-Origin: ${origin}
Access-Control-Allow-Headers: Range, If-Match, If-Range
Access-Control-Expose-Headers: Content-Range, Content-Length, Content-Encoding, ETag, Accept-Ranges, Last-Modified`;

/** Says what an error means for somebody who wants to look into a file, and what to do. */
export function explainError({ code, details, suggestions }: EngineError): ExplainedError {
  const title = TITLES[code] ?? "This did not work";
  const position = details.offset ?? details.position;
  if (code !== "CORS_BLOCKED") {
    return { title: typeof position === "number" ? `${title}, at byte ${position.toLocaleString("en")}` : title, suggestions };
  }
  const others = suggestions.filter((suggestion) => !suggestion.includes("Access-Control-Allow-Origin"));
  return {
    title,
    suggestions: [...others, "If the server is yours, let it answer with these headers:"],
    code: corsHeaders(globalThis.location?.origin ?? "*"),
  };
}
