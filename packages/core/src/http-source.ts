import { type ByteSource, type Bytes, checkRange } from "./byte-source.js";
import { checkOption } from "./check-option.js";
import { CheckpointSourceError } from "./errors.js";
import { parseHttpAddress } from "./http-address.js";
import {
  badRange,
  differenceOf,
  parseContentRange,
  type RangeRequest,
  rangesIgnored,
  resourceChanged,
  statusError,
  type Validators,
  validatorsOf,
  versionOf,
} from "./http-answer.js";
import { type FetchLike, type HttpAnswer, sendRequest } from "./http-request.js";
import type { SignalOptions } from "./progress.js";

/** What {@link httpSource} takes. */
export interface HttpSourceOptions extends SignalOptions {
  /** Makes the requests; the global `fetch` when left out. One that signs requests makes a source without a descriptor. */
  fetch?: FetchLike | undefined;
  /** Sent with every request: `{ Authorization: "Bearer ..." }`. */
  headers?: Readonly<Record<string, string>> | undefined;
  /**
   * Longest time without any byte from the server, in milliseconds (60,000). A read as a whole may take longer, as long as it
   * gets on; to bound it, pass a `signal`.
   */
  timeoutMs?: number | undefined;
  /** What errors call the file; its address without query and credentials when left out. */
  name?: string | undefined;
  /** Bytes that the first request asks for (65,536). They are kept, and reads of the file's head cost nothing more. */
  probeBytes?: number | undefined;
}

/** What the first request found. */
interface Opened {
  readonly size: number;
  readonly head: Bytes;
  readonly validators: Validators;
  /** Value for If-Range on later requests. */
  readonly ifRange: string | undefined;
}

/**
 * A file on an HTTP server that answers range requests. Opening takes one request, whose bytes serve the first reads; every answer is
 * checked to be exactly the range that was asked for, of the same version of the file. `signal` aborts the opening; reads take
 * signals of their own. Failed requests are not repeated here: see `retrySource`.
 *
 * @throws {CheckpointNotFoundError} NOT_FOUND
 * @throws {CheckpointSourceError} ACCESS_DENIED, HTTP_RANGE_NOT_SUPPORTED, HTTP_BAD_RANGE, HTTP_STATUS, READ_FAILED, UNSUPPORTED_URI
 * @throws {CheckpointTimeoutError} TIMEOUT
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-14 Range Requests
 * @example
 * const source = await httpSource("https://example.org/model.safetensors");
 * const header = await source.read(0, 1000);
 */
export async function httpSource(address: string | URL, options: HttpSourceOptions = {}): Promise<ByteSource> {
  const { timeoutMs = 60_000, probeBytes = 64 * 1024 } = options;
  checkOption("timeoutMs", timeoutMs, 1, false);
  checkOption("probeBytes", probeBytes, 1);
  const { url, headers, ...parsed } = parseHttpAddress(address, options.headers);
  const name = options.name ?? parsed.name;
  const closing = new AbortController();
  const fetch: FetchLike = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
  const common = { url, fetch, timeoutMs };

  const probe: RangeRequest = { name, start: 0, end: probeBytes };
  const opened = await sendRequest(probe, { ...common, headers, signals: [options.signal] }, (answer) => readProbe(probe, answer));
  const { size, head } = opened;
  const laterHeaders = opened.ifRange === undefined ? headers : { ...headers, "If-Range": opened.ifRange };

  const fill = async (target: Bytes, start: number, { signal }: SignalOptions): Promise<void> => {
    const known = head.subarray(start, start + target.length);
    const rest = target.subarray(known.length);
    if (rest.length > 0) {
      const request: RangeRequest = { name, start: start + known.length, end: start + target.length };
      await sendRequest(request, { ...common, headers: laterHeaders, signals: [signal, closing.signal] }, async (answer) => {
        checkAnswer(request, answer.response, opened);
        await answer.readBody(rest);
      });
    }
    target.set(known);
  };

  const source: ByteSource = {
    size,
    name,
    version: versionOf(opened.validators),
    async read(start, end, readOptions = {}) {
      check(start, end, readOptions.signal);
      const target = new Uint8Array(end - start);
      await fill(target, start, readOptions);
      return target;
    },
    async readInto(target, start, readOptions = {}) {
      check(start, start + target.length, readOptions.signal);
      await fill(target, start, readOptions);
    },
    descriptor: () =>
      options.fetch ? undefined : { kind: "http", url, headers, timeoutMs, probeBytes, name, size, version: source.version },
    async close() {
      if (!closing.signal.aborted) closing.abort(new CheckpointSourceError("SOURCE_CLOSED", `${name} was closed while it was being read.`));
    },
  };
  const check = (start: number, end: number, signal: AbortSignal | undefined): void => {
    signal?.throwIfAborted();
    if (closing.signal.aborted) throw new CheckpointSourceError("SOURCE_CLOSED", `${name} was read after it had been closed.`);
    checkRange(source, start, end);
  };
  return source;
}

/** Learns size, version and first bytes of the file from the answer to the first request. */
async function readProbe(request: RangeRequest, { response: answer, readBody }: HttpAnswer): Promise<Opened> {
  const validators = validatorsOf(answer);
  const isEmpty =
    // No range of an empty file can be satisfied; and a server may as well leave such a range out of account.
    (answer.status === 416 && [null, "bytes */0"].includes(answer.headers.get("content-range"))) ||
    (answer.status === 200 && answer.headers.get("content-length") === "0");
  if (isEmpty) return { size: 0, head: new Uint8Array(0), validators, ifRange: undefined };
  if (answer.status === 200) throw rangesIgnored(request, answer);
  if (answer.status !== 206) throw statusError(request, answer);
  const size = checkRangeHeaders(request, answer, (total) => Math.min(request.end, total));
  const head = new Uint8Array(Math.min(request.end, size));
  await readBody(head);
  return { size, head, validators, ifRange: ifRangeOf(answer, validators) };
}

/** Throws unless an answer to a later request is exactly what was asked for. */
function checkAnswer(request: RangeRequest, answer: Response, opened: Opened): void {
  const { status, headers } = answer;
  const difference = differenceOf(opened.validators, validatorsOf(answer));
  if (status === 412 || status === 416) {
    throw resourceChanged(request, answer, `the server answered ${status} to a range within its ${opened.size} bytes`);
  }
  if ((status === 200 || status === 206) && difference) throw resourceChanged(request, answer, difference);
  if (status === 200) {
    const length = headers.get("content-length");
    const isPlain = headers.get("content-encoding") === null;
    if (isPlain && length !== null && length !== String(opened.size)) {
      throw resourceChanged(request, answer, `it had ${opened.size} bytes and has ${length} now`);
    }
    throw rangesIgnored(request, answer);
  }
  if (status !== 206) throw statusError(request, answer);
  checkRangeHeaders(request, answer, (total) => {
    if (total !== opened.size) throw resourceChanged(request, answer, `it had ${opened.size} bytes and has ${total} now`);
    return request.end;
  });
}

/** Checks Content-Range, Content-Length and Content-Encoding of a 206; returns the size of the whole file. */
function checkRangeHeaders(request: RangeRequest, answer: Response, expectedEnd: (total: number) => number): number {
  const { headers } = answer;
  const encoding = headers.get("content-encoding");
  if (encoding !== null && encoding.toLowerCase() !== "identity") {
    throw badRange(request, answer, `it is compressed (Content-Encoding: ${encoding}), so its bytes are not the file's`);
  }
  const contentRange = headers.get("content-range");
  if (contentRange === null) throw badRange(request, answer, "it has no Content-Range header that can be read here");
  const range = parseContentRange(contentRange);
  if (!range) throw badRange(request, answer, `its Content-Range "${contentRange}" does not tell range and size`);
  const end = expectedEnd(range.total);
  if (range.start !== request.start || range.end !== end) {
    throw badRange(request, answer, `it holds the bytes [${range.start}, ${range.end}) instead`);
  }
  const length = headers.get("content-length");
  if (length !== null && length !== String(end - request.start)) {
    throw badRange(
      request,
      answer,
      `it announces ${length} bytes of body for a range of ${end - request.start} (was it compressed on the way?)`,
    );
  }
  return range.total;
}

/**
 * The validator for If-Range: a strong ETag, else a date that is old enough to be strong. None across origins in a browser, where the
 * header would cost a pre-flight request each time, which many servers refuse; the check of every answer's own validators remains.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-13.1.5
 */
function ifRangeOf(answer: Response, { etag, lastModified }: Validators): string | undefined {
  if (answer.type === "cors" && "location" in globalThis) return undefined;
  if (etag?.startsWith('"')) return etag;
  const age = Date.parse(answer.headers.get("date") ?? "") - Date.parse(lastModified ?? "");
  return lastModified !== null && age >= 1000 ? lastModified : undefined;
}
