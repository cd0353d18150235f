import { abortable } from "./abortable.js";
import type { Bytes } from "./byte-source.js";
import { CheckpointError, CheckpointTimeoutError } from "./errors.js";
import { badRange, connectionError, type RangeRequest } from "./http-answer.js";

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
}

/** Fills `target` with the body of an answer. @throws {CheckpointSourceError} HTTP_BAD_RANGE unless the body has exactly its length. */
export type ReadBody = (target: Bytes) => Promise<void>;

/** Longest delay that timers take: 2^31 - 1 ms. */
const MAX_TIMER_MS = 2_147_483_647;

/**
 * Asks for one range and hands the answer to `use`. Whatever `use` leaves unread is cancelled, which closes the connection
 * rather than letting a server send a whole file.
 *
 * @throws the reason of the signal that was aborted first.
 * @throws {CheckpointTimeoutError} TIMEOUT
 * @throws {CheckpointSourceError} READ_FAILED (retryable) when the connection failed.
 */
export async function requestRange<T>(
  request: RangeRequest,
  init: HttpRequestInit,
  use: (answer: Response, readBody: ReadBody) => Promise<T>,
): Promise<T> {
  const { url, fetch, headers, timeoutMs } = init;
  const controller = new AbortController();
  const { signal } = controller;
  const unlink = init.signals.map((outer) => follow(outer, controller));
  let timer: ReturnType<typeof setTimeout> | undefined;
  const waitFor = <V>(promise: Promise<V>, what: string): Promise<V> => {
    clearTimeout(timer);
    if (timeoutMs <= MAX_TIMER_MS) timer = setTimeout(() => controller.abort(timeoutError(request, timeoutMs, what)), timeoutMs);
    return abortable(promise, signal);
  };
  let answer: Response | undefined;
  try {
    signal.throwIfAborted();
    const range = `bytes=${request.start}-${request.end - 1}`;
    // no-store: browsers let requests for one address wait for each other while they fill their cache.
    const pending = fetch(url, { headers: { ...headers, Range: range }, signal, cache: "no-store" });
    pending.then((late) => signal.aborted && cancel(late)).catch(() => undefined);
    answer = await waitFor(pending, "the answer");
    const received = answer;
    return await use(received, (target) => readBody(request, received, target, waitFor));
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw error instanceof CheckpointError ? error : connectionError(request, error);
  } finally {
    clearTimeout(timer);
    for (const stop of unlink) stop();
    if (answer) cancel(answer);
  }
}

/** Streams a body into `target`; never takes more than fits. */
async function readBody(
  request: RangeRequest,
  answer: Response,
  target: Bytes,
  waitFor: <V>(promise: Promise<V>, what: string) => Promise<V>,
): Promise<void> {
  const reader = answer.body?.getReader();
  let filled = 0;
  let ended = reader === undefined;
  try {
    while (reader) {
      const { done, value } = await waitFor(reader.read(), `the rest of ${target.length} bytes after ${filled}`);
      if (done) {
        ended = true;
        break;
      }
      if (value.length > target.length - filled) {
        throw badRange(request, answer, `its body is longer than the ${target.length} bytes that were asked for`);
      }
      target.set(value, filled);
      filled += value.length;
    }
  } finally {
    if (!ended) reader?.cancel().catch(() => undefined);
  }
  if (filled < target.length) {
    throw connectionError(request, new Error(`the body ended after ${filled} of ${target.length} bytes`));
  }
}

const cancel = (answer: Response): void => {
  if (answer.body && !answer.body.locked) answer.body.cancel().catch(() => undefined);
};

const timeoutError = (request: RangeRequest, timeoutMs: number, what: string): CheckpointTimeoutError =>
  new CheckpointTimeoutError(
    `Waiting for ${what} of the request for bytes [${request.start}, ${request.end}) of ${request.name}`,
    timeoutMs,
    {
      details: { name: request.name, start: request.start, end: request.end },
      suggestions: ["Try again, or allow more time (timeoutMs)."],
    },
  );

/** Aborts the controller when the signal is; returns how to stop following it. */
function follow(signal: AbortSignal | undefined, controller: AbortController): () => void {
  if (!signal) return () => undefined;
  const abort = (): void => controller.abort(signal.reason);
  if (signal.aborted) abort();
  else signal.addEventListener("abort", abort, { once: true });
  return () => signal.removeEventListener("abort", abort);
}
