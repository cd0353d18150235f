import type { CheckpointError, FetchLike } from "@ckptkit/core";

/** Longest answer that a dry run takes: descriptions of a checkpoint are far below, and a server without ranges sends all of the file. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** What {@link limitedFetch} asks and tells. */
export interface FetchLimits {
  /** Whether requests may be made now. */
  mayFetch(): boolean;
  onBytes(count: number): void;
  /** Notes that something was stopped, and gives the error. */
  stop(): CheckpointError;
}

/** A fetch that counts the bytes of answers, and refuses those that are whole files. */
export function limitedFetch(fetch: FetchLike, { mayFetch, onBytes, stop }: FetchLimits): FetchLike {
  return async (url, init) => {
    const method = (init.method ?? "GET").toUpperCase();
    if (!mayFetch() || !["GET", "HEAD", "POST"].includes(method)) throw stop();
    const response = await fetch(url, init);
    if (!response.body) return response;
    let received = 0;
    const counter = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        received += chunk.length;
        onBytes(chunk.length);
        if (received > MAX_ANSWER_BYTES) controller.error(stop());
        else controller.enqueue(chunk);
      },
    });
    const { status, statusText, headers } = response;
    const counted = new Response(response.body.pipeThrough(counter), { status, statusText, headers });
    // A response that was made has no address of its own: redirects would be forgotten.
    for (const key of ["url", "redirected", "type"] as const) Object.defineProperty(counted, key, { value: response[key] });
    return counted;
  };
}
