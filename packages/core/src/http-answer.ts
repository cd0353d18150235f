import type { SourceVersion } from "./byte-source.js";
import { type CheckpointError, CheckpointNotFoundError, CheckpointSourceError } from "./errors.js";

/** One request: what error messages tell of it. */
export interface HttpRequest {
  /** Address without credentials. */
  readonly name: string;
  /** First byte that is wanted; undefined where no range is asked for. */
  readonly start?: number | undefined;
  /** End of the range; undefined for all the rest. */
  readonly end?: number | undefined;
}

/** A request for [start, end). */
export type RangeRequest = HttpRequest & { readonly start: number; readonly end: number };

/** What an answer says of itself, as plain JSON for the details of errors. */
const describeAnswer = (request: HttpRequest, answer: Response): Record<string, unknown> => ({
  name: request.name,
  start: request.start,
  end: request.end,
  status: answer.status,
  contentRange: answer.headers.get("content-range"),
  contentLength: answer.headers.get("content-length"),
  contentEncoding: answer.headers.get("content-encoding"),
});

/** What is asked for, in words. */
export function describeRequest({ name, start, end }: HttpRequest): string {
  if (start === undefined) return name;
  return end === undefined ? `${name} from byte ${start} on` : `bytes [${start}, ${end}) of ${name}`;
}

const EXPOSE_HEADERS =
  "When a page reads from another origin, the server must allow it: Access-Control-Allow-Origin, and Access-Control-Expose-Headers: Content-Range, Content-Encoding, ETag.";

/** The answer is not the range that was asked for. */
export function badRange(request: HttpRequest, answer: Response, found: string): CheckpointSourceError {
  return new CheckpointSourceError(
    "HTTP_BAD_RANGE",
    `The answer to a request for ${describeRequest(request)} cannot be trusted: ${found}.`,
    {
      details: describeAnswer(request, answer),
      suggestions: [
        "Something between here and the file (a proxy, a compressing CDN) may change answers: ask the storage itself, or download the file and open the copy.",
        ...(answer.type === "cors" ? [EXPOSE_HEADERS] : []),
      ],
    },
  );
}

/** The server sent the whole file, or would. */
export function rangesIgnored(request: HttpRequest, answer: Response): CheckpointSourceError {
  return new CheckpointSourceError(
    "HTTP_RANGE_NOT_SUPPORTED",
    `The server ignores range requests: asked for ${describeRequest(request)}, it answered 200 with the whole file. Nothing of it was read.`,
    {
      details: describeAnswer(request, answer),
      suggestions: [
        "Download the file and open the copy.",
        "Serve it from storage that answers range requests (object stores, nginx, most CDNs do), and do not compress it on the way.",
      ],
    },
  );
}

/** The resource is not the one that was opened. */
export function resourceChanged(request: HttpRequest, answer: Response, found: string): CheckpointSourceError {
  return new CheckpointSourceError("SOURCE_CHANGED", `${request.name} changed while it was being read: ${found}.`, {
    details: describeAnswer(request, answer),
    suggestions: ["Open it again, best under an address that names one version of it."],
  });
}

/** The error for an answer that is neither a range nor the whole file. */
export function statusError(request: HttpRequest, answer: Response): CheckpointError {
  const { status } = answer;
  const details = describeAnswer(request, answer);
  if (status === 404 || status === 410) {
    return new CheckpointNotFoundError("NOT_FOUND", `Nothing is at ${request.name}: the server answered ${status}.`, {
      details,
      suggestions: [
        "Check the address, and whether the file was moved or deleted.",
        "Some servers answer 404 for files that need a login.",
      ],
    });
  }
  if (status === 401 || status === 403) {
    return new CheckpointSourceError("ACCESS_DENIED", `${request.name} may not be read: the server answered ${status}.`, {
      details,
      suggestions: [
        "If the address is a signed one, it may have expired: make a new one.",
        "If the file needs a login, pass it on: { headers: { Authorization: ... } }.",
      ],
    });
  }
  const retryable = isTransient(status);
  const retryAfterMs = retryable ? retryAfter(answer.headers.get("retry-after")) : undefined;
  return new CheckpointSourceError("HTTP_STATUS", `The server answered ${status} to a request for ${describeRequest(request)}.`, {
    details: { ...details, retryAfterMs },
    suggestions: retryable ? ["The server is busy or failing: try again later."] : [],
    retryable,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

/** Statuses that another try may not get: time-outs, too many requests, and the server's own failures except "not implemented". */
const isTransient = (status: number): boolean =>
  status === 408 || status === 425 || status === 429 || (status >= 500 && status !== 501 && status !== 505);

/**
 * The wait that a Retry-After header asks for, in milliseconds: seconds or a date.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
 */
function retryAfter(value: string | null): number | undefined {
  if (value === null) return undefined;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

/** The error for a connection that could not be made, or broke. */
export function connectionError(request: HttpRequest, cause: unknown): CheckpointSourceError {
  const why = describeCause(cause);
  return new CheckpointSourceError("READ_FAILED", `The request for ${describeRequest(request)} failed: ${why}.`, {
    details: { name: request.name, start: request.start, end: request.end, cause: why },
    suggestions: [
      "Check the address and the network, and try again.",
      ...("location" in globalThis
        ? [`A browser also reports a server that does not allow this page to read from it as a failed request. ${EXPOSE_HEADERS}`]
        : []),
    ],
    retryable: true,
    cause,
  });
}

/** Node's fetch says only "fetch failed"; what failed is in the cause. */
function describeCause(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  const code = "code" in cause ? String(cause.code) : "";
  return cause.message.includes(code) ? `${error.message}: ${cause.message}` : `${error.message}: ${cause.message} (${code})`;
}

/** A Content-Range header with exact numbers. */
export interface ContentRange {
  readonly start: number;
  readonly end: number;
  /** Size of the whole file. */
  readonly total: number;
}

/**
 * Parses `bytes 0-99/1000` strictly; undefined for anything else, also for an unknown total (`*`).
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-14.4
 */
export function parseContentRange(value: string | null): ContentRange | undefined {
  const match = /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16})$/i.exec(value?.trim() ?? "");
  if (!match) return undefined;
  const [start, last, total] = match.slice(1).map(Number);
  if (start === undefined || last === undefined || total === undefined) return undefined;
  return start <= last && last < total && Number.isSafeInteger(total) ? { start, end: last + 1, total } : undefined;
}

/** What tells one version of a resource from another. */
export interface Validators {
  readonly etag: string | null;
  readonly lastModified: string | null;
}

/** The validators of an answer. */
export const validatorsOf = ({ headers }: Response): Validators => ({
  etag: headers.get("etag"),
  lastModified: headers.get("last-modified"),
});

/** The same as a source tells it. */
export const versionOf = ({ etag, lastModified }: Validators): SourceVersion => ({
  ...(etag !== null && { etag }),
  ...(lastModified !== null && { lastModified }),
});

/** How the validators of two answers differ, in words; undefined when they do not. ETags are compared weakly; dates only without them. */
export function differenceOf(first: Validators, now: Validators): string | undefined {
  const opaque = (etag: string): string => etag.replace(/^W\//, "");
  if (first.etag !== null && now.etag !== null) {
    return opaque(first.etag) === opaque(now.etag) ? undefined : `its ETag was ${first.etag} and is ${now.etag}`;
  }
  if (first.lastModified !== null && now.lastModified !== null && first.lastModified !== now.lastModified) {
    return `it was modified on ${now.lastModified}, and before on ${first.lastModified}`;
  }
  return undefined;
}
