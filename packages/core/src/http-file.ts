import type { SourceVersion } from "./byte-source.js";
import { checkOption } from "./check-option.js";
import { parseHttpAddress } from "./http-address.js";
import {
  badRange,
  connectionError,
  differenceOf,
  type HttpRequest,
  parseContentRange,
  statusError,
  type Validators,
  validatorsOf,
  versionOf,
} from "./http-answer.js";
import { type FetchLike, type HttpAnswer, sendRequest } from "./http-request.js";
import type { RemoteAnswer, RemoteFile, RemoteRequest } from "./remote-file.js";

/** What {@link httpFile} takes. */
export interface HttpFileOptions {
  fetch?: FetchLike | undefined;
  headers?: Readonly<Record<string, string>> | undefined;
  /** Longest time without any byte from the server, in milliseconds (60,000). */
  timeoutMs?: number | undefined;
  /** What errors call the file; its address without query and credentials when left out. */
  name?: string | undefined;
  /** Bytes, where something else than the answer has told. */
  size?: number | undefined;
}

/** Parameters of addresses that are signed: they differ from one signature of the same file to the next. */
const SIGNATURE =
  /^(x-amz-|x-goog-|awsaccesskeyid$|expires$|signature$|key-pair-id$|policy$|sig$|se$|st$|sp$|sv$|sr$|token$|access_token$)/i;

/**
 * A file on any HTTP server, for downloads: also on servers that know no ranges. Requests are not repeated here.
 *
 * @throws {CheckpointSourceError} UNSUPPORTED_URI
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-13 Conditional Requests
 * @example const source = await platform.downloads?.open(httpFile("https://example.org/model.ckpt"));
 */
export function httpFile(address: string | URL, options: HttpFileOptions = {}): RemoteFile {
  const { timeoutMs = 60_000 } = options;
  checkOption("timeoutMs", timeoutMs, 1, false);
  const { url, headers, ...parsed } = parseHttpAddress(address, options.headers);
  const name = options.name ?? parsed.name;
  const fetch: FetchLike = options.fetch ?? ((input, init) => globalThis.fetch(input, init));

  return {
    name,
    key: unsigned(url),
    size: options.size,
    async request<T>(ask: RemoteRequest, use: (answer: RemoteAnswer) => Promise<T>): Promise<T> {
      const attempt = (start: number | undefined): Promise<T | typeof AGAIN> =>
        sendRequest(
          { name, start },
          { url, fetch, timeoutMs, headers: { ...headers, ...conditionOf(ask) }, signals: [ask.signal] },
          async (answer) => {
            // No range of an empty file can be satisfied, nor one behind the end of a file that has become shorter.
            if (answer.response.status === 416 && start !== undefined) return AGAIN;
            return use(readAnswer({ name, start }, ask, answer));
          },
        );
      const result = await attempt(ask.start);
      if (result !== AGAIN) return result;
      const whole = await attempt(undefined);
      if (whole === AGAIN) throw new Error("unreachable: a request without a range is never asked again");
      return whole;
    },
  };
}

const AGAIN = Symbol("again");

/** The address without what changes each time that it is signed. */
function unsigned(address: string): string {
  const url = new URL(address);
  for (const name of [...url.searchParams.keys()]) if (SIGNATURE.test(name)) url.searchParams.delete(name);
  return url.href;
}

function conditionOf({ start, have }: RemoteRequest): Record<string, string> {
  const { etag, lastModified } = have ?? {};
  if (start > 0) {
    const validator = etag?.startsWith('"') ? etag : lastModified;
    return validator === undefined ? {} : { "If-Range": validator };
  }
  if (etag !== undefined) return { "If-None-Match": etag };
  return lastModified === undefined ? {} : { "If-Modified-Since": lastModified };
}

function readAnswer(request: HttpRequest, ask: RemoteRequest, { response, chunks }: HttpAnswer): RemoteAnswer {
  const { status, headers } = response;
  const validators = validatorsOf(response);
  const version = versionOf(validators);
  const resumable = version.etag?.startsWith('"') === true || version.lastModified !== undefined;
  // A server may leave the condition out of account and send what is here already.
  const unchanged = ask.start === 0 && ask.have !== undefined && isSame(ask.have, validators);
  const answer = { unchanged, start: 0, version, chunks };
  if (status === 304) return { ...answer, unchanged: true, size: undefined, version: { ...ask.have, ...version }, resumable };
  if (status === 206) return { ...answer, ...readRange(request, ask, response, validators), resumable };
  if (status !== 200) throw statusError(request, response);
  // fetch has unpacked a compressed body by now: its length is not the one that was announced.
  const isPlain = (headers.get("content-encoding") ?? "identity").toLowerCase() === "identity";
  const length = headers.get("content-length");
  const size = isPlain && length !== null && /^\d{1,16}$/.test(length) && Number.isSafeInteger(Number(length)) ? Number(length) : undefined;
  const ranges = isPlain && headers.get("accept-ranges")?.toLowerCase() === "bytes";
  return { ...answer, size, resumable: resumable && ranges };
}

function readRange(request: HttpRequest, ask: RemoteRequest, answer: Response, validators: Validators): { start: number; size: number } {
  const range = parseContentRange(answer.headers.get("content-range"));
  if (!range) throw badRange(request, answer, "it has no Content-Range header that tells range and size");
  if (range.start !== ask.start || range.end !== range.total) {
    throw badRange(request, answer, `it holds the bytes [${range.start}, ${range.end}) of ${range.total} instead`);
  }
  const encoding = answer.headers.get("content-encoding");
  if (encoding !== null && encoding.toLowerCase() !== "identity") {
    throw badRange(request, answer, `it is compressed (Content-Encoding: ${encoding}), so its bytes are not the file's`);
  }
  // A server that leaves If-Range out of account would mix two versions.
  const difference = ask.start > 0 && differenceOf(toValidators(ask.have ?? {}), validators);
  if (difference) throw connectionError(request, new Error(`the rest is of another version: ${difference}`));
  return { start: range.start, size: range.total };
}

const toValidators = ({ etag, lastModified }: SourceVersion): Validators => ({ etag: etag ?? null, lastModified: lastModified ?? null });

/** Whether two versions are known to be the same: an ETag that is equal, or without one a date. */
function isSame(have: SourceVersion, now: Validators): boolean {
  if (have.etag !== undefined && now.etag !== null) return have.etag === now.etag;
  return have.etag === undefined && now.etag === null && have.lastModified !== undefined && have.lastModified === now.lastModified;
}
