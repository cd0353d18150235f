import type { FetchLike } from "@ckptkit/core";

/** A `fetch` that answers from bytes as a server with ranges does, and notes what was asked. */
export interface RangeServer {
  readonly fetch: FetchLike;
  /** Ranges that were asked for, `start-last`. */
  readonly ranges: string[];
  file: Uint8Array<ArrayBuffer>;
  /** Left out of answers when undefined. */
  etag: string | undefined;
}

/** Answers every address with the same file. */
export function rangeServer(file: Uint8Array<ArrayBuffer>, etag: string | undefined = '"v1"'): RangeServer {
  const server: RangeServer = {
    ranges: [],
    file,
    etag,
    async fetch(_, init) {
      const range = new Headers(init.headers).get("range")?.replace("bytes=", "") ?? "";
      server.ranges.push(range);
      const [start = 0, last = 0] = range.split("-").map(Number);
      if (start >= server.file.length)
        return new Response(null, { status: 416, headers: { "content-range": `bytes */${server.file.length}` } });
      const body = server.file.slice(start, last + 1);
      const headers = new Headers({ "content-range": `bytes ${start}-${start + body.length - 1}/${server.file.length}` });
      if (server.etag !== undefined) headers.set("etag", server.etag);
      return new Response(body, { status: 206, headers });
    },
  };
  return server;
}
