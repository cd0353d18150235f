import { abortable } from "./abortable.js";
import type { Bytes } from "./byte-source.js";
import { CheckpointError, CheckpointTimeoutError } from "./errors.js";
import { badRange, connectionError, describeRequest, type HttpRequest } from "./http-answer.js";

/** The part of `fetch` that is used. The global `fetch` fits, and so does a function that signs requests first. */
export type FetchLike = (url: string, init: RequestInit) => Promise<Response>;

/** How one request is made. */
export interface HttpRequestInit {
  readonly url: string;
  readonly fetch: FetchLike;
  readonly headers: Readonly<Record<string, string>>;
  /** Longest wait for the answer, and after it for each next piece of its body. */
  readonly timeoutMs: number;
  readonly signals: readonly (AbortSignal | undefined)[];
  /** GET when left out. */
  readonly method?: string | undefined;
  readonly body?: string | undefined;
}

/** An answer, and its body as far as it is wanted. */
export interface HttpAnswer {
  readonly response: Response;
  /** Fills `target` with the body. @throws {CheckpointSourceError} HTTP_BAD_RANGE unless the body has exactly its length. */
  readBody(target: Bytes): Promise<void>;
  /** The pieces of the body as they come. */
  chunks(): AsyncGenerator<Bytes, void, void>;
}

/** Longest delay that timers take: 2^31 - 1 ms. */
const MAX_TIMER_MS = 2_147_483_647;

/**
 * Makes one request and hands the answer to `use`. Whatever `use` leaves unread is cancelled, which closes the connection
 * rather than letting a server send a whole file.
 *
 * @throws the reason of the signal that was aborted first.
 * @throws {CheckpointTimeoutError} TIMEOUT
 * @throws {CheckpointSourceError} READ_FAILED (retryable) when the connection failed.
 */
export async function sendRequest<T>(request: HttpRequest, init: HttpRequestInit, use: (answer: HttpAnswer) => Promise<T>): Promise<T> {
  const { url, fetch, headers, timeoutMs, method, body } = init;
  const controller = new AbortController();
  const { signal } = controller;
  const unlink = init.signals.map((outer) => follow(outer, controller));
  let timer: ReturnType<typeof setTimeout> | undefined;
  const waitFor = <V>(promise: Promise<V>, what: string): Promise<V> => {
    clearTimeout(timer);
    if (timeoutMs <= MAX_TIMER_MS) timer = setTimeout(() => controller.abort(timeoutError(request, timeoutMs, what)), timeoutMs);
    return abortable(promise, signal);
  };
  let response: Response | undefined;
  try {
    signal.throwIfAborted();
    const sent = request.start === undefined ? headers : { ...headers, Range: rangeHeader(request.start, request.end) };
    // no-store: browsers let requests for one address wait for each other while they fill their cache.
    const pending = fetch(url, {
      headers: sent,
      signal,
      cache: "no-store",
      ...(method && { method }),
      ...(body !== undefined && { body }),
    });
    pending.then((late) => signal.aborted && cancel(late)).catch(() => undefined);
    response = await waitFor(pending, "the answer");
    const received = response;
    // Awaited here, so that an error of the connection while the body is read is put into words as well.
    return await use({
      response: received,
      chunks: () => readChunks(received, waitFor),
      readBody: (target) => fillFrom(request, received, readChunks(received, waitFor, target.length), target),
    });
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw error instanceof CheckpointError ? error : connectionError(request, error);
  } finally {
    clearTimeout(timer);
    for (const stop of unlink) stop();
    if (response) cancel(response);
  }
}

const rangeHeader = (start: number, end: number | undefined): string => `bytes=${start}-${end === undefined ? "" : end - 1}`;

async function* readChunks(
  answer: Response,
  waitFor: <V>(promise: Promise<V>, what: string) => Promise<V>,
  expected?: number,
): AsyncGenerator<Bytes, void, void> {
  const reader = answer.body?.getReader();
  let received = 0;
  let ended = reader === undefined;
  try {
    while (reader) {
      const { done, value } = await waitFor(
        reader.read(),
        `the rest ${expected === undefined ? "of the body" : `of ${expected} bytes`} after ${received}`,
      );
      if (done) {
        ended = true;
        return;
      }
      received += value.length;
      yield value;
    }
  } finally {
    if (!ended) reader?.cancel().catch(() => undefined);
  }
}

/** Streams a body into `target`; never takes more than fits. */
async function fillFrom(request: HttpRequest, answer: Response, chunks: AsyncGenerator<Bytes, void, void>, target: Bytes): Promise<void> {
  let filled = 0;
  for await (const chunk of chunks) {
    if (chunk.length > target.length - filled) {
      throw badRange(request, answer, `its body is longer than the ${target.length} bytes that were asked for`);
    }
    target.set(chunk, filled);
    filled += chunk.length;
  }
  if (filled < target.length) {
    throw connectionError(request, new Error(`the body ended after ${filled} of ${target.length} bytes`));
  }
}

const cancel = (answer: Response): void => {
  if (answer.body && !answer.body.locked) answer.body.cancel().catch(() => undefined);
};

const timeoutError = (request: HttpRequest, timeoutMs: number, what: string): CheckpointTimeoutError =>
  new CheckpointTimeoutError(`Waiting for ${what} of the request for ${describeRequest(request)}`, timeoutMs, {
    details: { name: request.name, start: request.start, end: request.end },
    suggestions: ["Try again, or allow more time (timeoutMs)."],
  });

/** Aborts the controller when the signal is; returns how to stop following it. */
function follow(signal: AbortSignal | undefined, controller: AbortController): () => void {
  if (!signal) return () => undefined;
  const abort = (): void => controller.abort(signal.reason);
  if (signal.aborted) abort();
  else signal.addEventListener("abort", abort, { once: true });
  return () => signal.removeEventListener("abort", abort);
}
