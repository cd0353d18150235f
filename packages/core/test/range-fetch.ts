import type { FetchLike } from "../src/index.js";

/** One request that a {@link rangeFetch} answered. */
export interface SeenRequest {
  url: string;
  headers: Headers;
  init: RequestInit;
}

/** A `fetch` that answers range requests from memory, as a well-behaved server does. `change` turns good answers into others. */
export function rangeFetch(
  file: () => Uint8Array,
  options: {
    headers?: Record<string, string>;
    change?: (good: { status: number; headers: Headers; body: Uint8Array }, request: SeenRequest, count: number) => Response | undefined;
  } = {},
): FetchLike & { requests: SeenRequest[] } {
  const requests: SeenRequest[] = [];
  const answer: FetchLike = async (url, init) => {
    init.signal?.throwIfAborted();
    const request = { url, headers: new Headers(init.headers), init };
    requests.push(request);
    const bytes = file();
    const match = /^bytes=(\d+)-(\d+)$/.exec(request.headers.get("range") ?? "");
    if (!match) throw new Error("The request has no simple range.");
    const [start = 0, last = 0] = match.slice(1).map(Number);
    const headers = new Headers(options.headers);
    if (start >= bytes.length) {
      headers.set("content-range", `bytes */${bytes.length}`);
      return (
        options.change?.({ status: 416, headers, body: new Uint8Array(0) }, request, requests.length) ??
        new Response(null, { status: 416, headers })
      );
    }
    const body = bytes.slice(start, last + 1);
    headers.set("content-range", `bytes ${start}-${start + body.length - 1}/${bytes.length}`);
    headers.set("content-length", String(body.length));
    return options.change?.({ status: 206, headers, body }, request, requests.length) ?? new Response(body, { status: 206, headers });
  };
  return Object.assign(answer, { requests });
}

/** A body that arrives in pieces, and tells whether it was cancelled. */
export function streamOf(
  pieces: Iterable<Uint8Array>,
  ending: "close" | "stall" = "close",
): { stream: ReadableStream<Uint8Array>; cancelled: () => boolean; pulled: () => number } {
  const iterator = pieces[Symbol.iterator]();
  let cancelled = false;
  let pulled = 0;
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const { done, value } = iterator.next();
        if (!done) {
          pulled += value.length;
          controller.enqueue(value);
        } else if (ending === "close") controller.close();
        else return new Promise(() => undefined);
      },
      cancel() {
        cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return { stream, cancelled: () => cancelled, pulled: () => pulled };
}
