import { codeOf, expectSameBytes, patternBytes } from "@ckptkit/testkit";
import { describe, expect, it } from "vitest";
import { type CheckpointError, CheckpointSourceError, CheckpointTimeoutError, type FetchLike, httpSource } from "../src/index.js";
import { rangeFetch, streamOf } from "./range-fetch.js";

const URL_ = "https://example.org/models/a.ckpt";
const bytes = patternBytes(10_000);
const file = (): Uint8Array => bytes;
/** The error with which a promise rejects. */
const errorOf = (promise: Promise<unknown>): Promise<CheckpointError> =>
  promise.then(
    () => Promise.reject(new Error("It did not reject.")),
    (error: CheckpointError) => error,
  );

describe("httpSource: opening", () => {
  it("takes one request, and serves the head from it for nothing", async () => {
    const fetch = rangeFetch(file);
    const source = await httpSource(URL_, { fetch, probeBytes: 1000 });
    expect(source.size).toBe(10_000);
    expectSameBytes(await source.read(0, 1000), bytes.subarray(0, 1000));
    expectSameBytes(await source.read(500, 600), bytes.subarray(500, 600));
    expect(fetch.requests.map(({ headers }) => headers.get("range"))).toEqual(["bytes=0-999"]);
  });

  it("asks only for the part of a read that it does not have yet", async () => {
    const fetch = rangeFetch(file);
    const source = await httpSource(URL_, { fetch, probeBytes: 1000 });
    expectSameBytes(await source.read(900, 1100), bytes.subarray(900, 1100));
    expect(fetch.requests[1]?.headers.get("range")).toBe("bytes=1000-1099");
  });

  it("asks for 64 KiB unless told otherwise", async () => {
    const fetch = rangeFetch(file);
    await httpSource(URL_, { fetch });
    expect(fetch.requests[0]?.headers.get("range")).toBe("bytes=0-65535");
  });

  it("opens an empty file, in both ways that servers tell of one", async () => {
    expect((await httpSource(URL_, { fetch: rangeFetch(() => new Uint8Array(0)) })).size).toBe(0);
    const full: FetchLike = async () => new Response(null, { status: 200, headers: { "content-length": "0" } });
    expect((await httpSource(URL_, { fetch: full })).size).toBe(0);
  });

  it("sends the caller's headers with every request", async () => {
    const fetch = rangeFetch(file);
    const source = await httpSource(URL_, { fetch, headers: { Authorization: "Bearer s3cret" }, probeBytes: 10 });
    await source.read(100, 200);
    expect(fetch.requests.map(({ headers }) => headers.get("authorization"))).toEqual(["Bearer s3cret", "Bearer s3cret"]);
  });

  it("turns user name and password of the address into a header, because fetch refuses them", async () => {
    const fetch = rangeFetch(file);
    await httpSource("https://us%C3%A9r:p%40ss@example.org/a.ckpt#part", { fetch });
    expect(fetch.requests[0]?.url).toBe("https://example.org/a.ckpt");
    // RFC 7617: base64 of the UTF-8 bytes of "usér:p@ss"
    expect(fetch.requests[0]?.headers.get("authorization")).toBe("Basic dXPDqXI6cEBzcw==");
  });

  it("rejects with the signal's reason", async () => {
    const reason = new Error("no longer wanted");
    expect(await errorOf(httpSource(URL_, { fetch: rangeFetch(file), signal: AbortSignal.abort(reason) }))).toBe(reason);
  });

  it.each(["ftp://example.org/a", "model.ckpt", "s3://bucket/a"])("refuses the address %s", async (address) => {
    expect(await codeOf(httpSource(address, { fetch: rangeFetch(file) }))).toBe("UNSUPPORTED_URI");
  });

  it("refuses headers that HTTP does not allow without repeating their values", async () => {
    const error = await errorOf(httpSource(URL_, { fetch: rangeFetch(file), headers: { Authorization: "Bearer s3cret\nX: y" } }));
    expect(error.code).toBe("INVALID_ARGUMENT");
    expect(JSON.stringify(error)).not.toContain("s3cret");
  });
});

describe("httpSource: credentials", () => {
  const signed = "https://user:pa55@example.org/a.ckpt?X-Amz-Signature=s1gnature&t0ken";
  const leaks = (text: string): boolean => /pa55|s1gnature|t0ken|s3cret|dXNlc/.test(text);

  it("stay out of the name, and are in the descriptor, from which a worker opens the source again", async () => {
    const source = await httpSource("https://example.org/a.ckpt?sig=s1gnature", {
      headers: { Authorization: "s3cret" },
      fetch: rangeFetch(file),
    });
    expect(source.name).toBe("https://example.org/a.ckpt");
    expect(source.descriptor?.()).toBeUndefined();
  });

  it.each([
    ["200", () => new Response("x".repeat(99), { status: 200 })],
    ["206 without Content-Range", () => new Response("x", { status: 206 })],
    ["403", () => new Response("x", { status: 403 })],
    ["404", () => new Response("x", { status: 404 })],
    ["503", () => new Response("x", { status: 503 })],
  ])("stay out of the error for an answer %s", async (_, answer) => {
    const error = await errorOf(httpSource(signed, { fetch: async () => answer(), headers: { "X-Token": "s3cret" } }));
    expect(error.message).toContain("https://example.org/a.ckpt");
    expect(leaks(error.message + JSON.stringify(error) + String(error.stack))).toBe(false);
  });
});

describe("httpSource: answers", () => {
  /** Opens with a good first answer, and changes the later ones. */
  const opened = async (change: Parameters<typeof rangeFetch>[1] & object, probeBytes = 100) => {
    const fetch = rangeFetch(file, {
      ...change,
      change: (good, request, count) => (count === 1 ? undefined : change.change?.(good, request, count)),
    });
    return { fetch, source: await httpSource(URL_, { fetch, probeBytes }) };
  };

  it("never takes a 200 for the range, and cancels its body unread", async () => {
    const body = streamOf([bytes]);
    const fetch: FetchLike = async () => new Response(body.stream, { status: 200, headers: { "content-length": "10000" } });
    const error = await errorOf(httpSource(URL_, { fetch }));
    expect(error.code).toBe("HTTP_RANGE_NOT_SUPPORTED");
    expect(error.suggestions.join()).toContain("Download");
    expect(body.cancelled()).toBe(true);
    expect(body.pulled()).toBe(0);
  });

  it("says HTTP_RANGE_NOT_SUPPORTED when a server stops answering ranges of the same file", async () => {
    const { source } = await opened({
      headers: { etag: '"v1"' },
      change: ({ headers }) =>
        new Response(bytes.slice(), { status: 200, headers: { etag: headers.get("etag") ?? "", "content-length": "10000" } }),
    });
    expect(await codeOf(source.read(200, 300))).toBe("HTTP_RANGE_NOT_SUPPORTED");
  });

  it.each([
    ["a 200 with another ETag", () => new Response(bytes.slice(), { status: 200, headers: { etag: '"v2"' } })],
    ["a 200 with another length", () => new Response(bytes.slice(1), { status: 200, headers: { etag: '"v1"', "content-length": "9999" } })],
    ["412", () => new Response(null, { status: 412 })],
    ["416", () => new Response(null, { status: 416 })],
  ])("says SOURCE_CHANGED for %s", async (_, answer) => {
    const { source } = await opened({ headers: { etag: '"v1"' }, change: answer });
    expect(await codeOf(source.read(200, 300))).toBe("SOURCE_CHANGED");
  });

  it("says SOURCE_CHANGED for a range of another version", async () => {
    const { source } = await opened({
      headers: { etag: '"v1"' },
      change: ({ headers, body }) => {
        headers.set("etag", '"v2"');
        return new Response(body.slice(), { status: 206, headers });
      },
    });
    expect(await codeOf(source.read(200, 300))).toBe("SOURCE_CHANGED");
  });

  it("says SOURCE_CHANGED for a range of a file of another size, or another date where there is no ETag", async () => {
    const grown = await opened({
      change: ({ headers, body }) =>
        new Response(body.slice(), { status: 206, headers: { ...Object.fromEntries(headers), "content-range": "bytes 200-299/10001" } }),
    });
    expect(await codeOf(grown.source.read(200, 300))).toBe("SOURCE_CHANGED");
    const touched = await opened({
      headers: { "last-modified": "Mon, 02 Nov 2026 10:00:00 GMT" },
      change: ({ headers, body }) => {
        headers.set("last-modified", "Mon, 02 Nov 2026 10:00:07 GMT");
        return new Response(body.slice(), { status: 206, headers });
      },
    });
    expect(await codeOf(touched.source.read(200, 300))).toBe("SOURCE_CHANGED");
  });

  it.each([
    ["no Content-Range", null],
    ["another unit", "items 200-299/10000"],
    ["an unknown size", "bytes 200-299/*"],
    ["a shifted range", "bytes 201-300/10000"],
    ["a shorter range", "bytes 200-298/10000"],
    ["a longer range", "bytes 200-300/10000"],
    ["a range beyond its own size", "bytes 200-299/250"],
    ["numbers that are not exact", "bytes 200-299/99999999999999999999"],
    ["nonsense", "bytes two-three/four"],
  ])("says HTTP_BAD_RANGE (or that the size changed) for a Content-Range with %s", async (_, contentRange) => {
    const { source } = await opened({
      change: ({ headers, body }) => {
        headers.delete("content-range");
        if (contentRange) headers.set("content-range", contentRange);
        return new Response(body.slice(), { status: 206, headers });
      },
    });
    const error = await errorOf(source.read(200, 300));
    expect(error.code).toBe("HTTP_BAD_RANGE");
    expect(error.details).toMatchObject({ start: 200, end: 300, status: 206, contentRange });
  });

  it("says HTTP_BAD_RANGE when the first answer does not begin at 0 or ends early", async () => {
    for (const range of ["bytes 1-100/10000", "bytes 0-49/10000"]) {
      const fetch: FetchLike = async () => new Response(bytes.slice(0, 100), { status: 206, headers: { "content-range": range } });
      expect(await codeOf(httpSource(URL_, { fetch, probeBytes: 100 }))).toBe("HTTP_BAD_RANGE");
    }
  });

  it("says HTTP_BAD_RANGE for compressed answers", async () => {
    const { source } = await opened({
      change: ({ headers, body }) => {
        headers.set("content-encoding", "gzip");
        return new Response(body.slice(), { status: 206, headers });
      },
    });
    expect((await errorOf(source.read(200, 300))).message).toContain("gzip");
  });

  it("says HTTP_BAD_RANGE for a body that is longer than the range, and takes no more of it than it needs to know", async () => {
    const body = streamOf(
      (function* () {
        for (;;) yield new Uint8Array(64);
      })(),
    );
    const { source } = await opened({
      change: ({ headers }) => {
        headers.delete("content-length");
        return new Response(body.stream, { status: 206, headers });
      },
    });
    const target = new Uint8Array(120).fill(0xee);
    expect(await codeOf(source.readInto?.(target.subarray(10, 110), 200) ?? Promise.resolve())).toBe("HTTP_BAD_RANGE");
    expect(target.subarray(110)).toEqual(new Uint8Array(10).fill(0xee));
    expect(body.cancelled()).toBe(true);
    expect(body.pulled()).toBe(128);
  });

  it("says READ_FAILED, which may be retried, for a body that ends early", async () => {
    const { source } = await opened({
      change: ({ headers, body }) => {
        headers.delete("content-length");
        return new Response(body.slice(0, 99), { status: 206, headers });
      },
    });
    const error = await errorOf(source.read(200, 300));
    expect(error).toMatchObject({ code: "READ_FAILED", retryable: true });
    expect(error.message).toContain("99 of 100");
  });

  it.each([
    [404, "NOT_FOUND", undefined],
    [410, "NOT_FOUND", undefined],
    [401, "ACCESS_DENIED", false],
    [403, "ACCESS_DENIED", false],
    [400, "HTTP_STATUS", false],
    [408, "HTTP_STATUS", true],
    [429, "HTTP_STATUS", true],
    [500, "HTTP_STATUS", true],
    [501, "HTTP_STATUS", false],
    [503, "HTTP_STATUS", true],
  ])("turns %i into %s", async (status, code, retryable) => {
    const error = await errorOf(httpSource(URL_, { fetch: async () => new Response("no", { status }) }));
    expect(error.code).toBe(code);
    expect(error instanceof CheckpointSourceError ? error.retryable : undefined).toBe(retryable);
    expect(error.details.status).toBe(status);
  });

  it("tells of signed addresses that expire when access is denied", async () => {
    const error = await errorOf(httpSource(URL_, { fetch: async () => new Response("no", { status: 403 }) }));
    expect(error.suggestions.join()).toContain("expired");
  });

  it("passes on how long the server asks to wait, in seconds or until a date", async () => {
    const retryAfter = async (value: string): Promise<unknown> => {
      const error = await errorOf(
        httpSource(URL_, { fetch: async () => new Response("", { status: 429, headers: { "retry-after": value } }) }),
      );
      return error instanceof CheckpointSourceError ? error.retryAfterMs : error;
    };
    expect(await retryAfter("120")).toBe(120_000);
    expect(await retryAfter("soon")).toBeUndefined();
    expect(await retryAfter("Wed, 21 Oct 2015 07:28:00 GMT")).toBe(0);
    const inAMinute = Number(await retryAfter(new Date(Date.now() + 60_000).toUTCString()));
    expect(inAMinute).toBeGreaterThan(55_000);
    expect(inAMinute).toBeLessThanOrEqual(60_000);
  });

  it("says READ_FAILED, which may be retried, when the connection fails", async () => {
    const fetch: FetchLike = async () => {
      throw new TypeError("Failed to fetch");
    };
    const error = await errorOf(httpSource(URL_, { fetch }));
    expect(error).toMatchObject({ code: "READ_FAILED", retryable: true });
    expect(error.suggestions.join().includes("Access-Control-Allow-Origin")).toBe("location" in globalThis);
  });
});

describe("httpSource: pinning one version", () => {
  const later = async (headers: Record<string, string>): Promise<string | null | undefined> => {
    const fetch = rangeFetch(file, { headers });
    const source = await httpSource(URL_, { fetch, probeBytes: 10 });
    await source.read(100, 200);
    expect(fetch.requests[0]?.headers.get("if-range")).toBeNull();
    return fetch.requests[1]?.headers.get("if-range");
  };
  const modified = "Mon, 02 Nov 2026 10:00:00 GMT";

  it("sends a strong ETag as If-Range", async () => {
    expect(await later({ etag: '"v1"', "last-modified": modified })).toBe('"v1"');
  });

  it("sends the date instead of a weak ETag, once it is old enough to be strong", async () => {
    expect(await later({ etag: 'W/"v1"', "last-modified": modified, date: "Mon, 02 Nov 2026 10:05:00 GMT" })).toBe(modified);
    expect(await later({ "last-modified": modified, date: modified })).toBeNull();
    expect(await later({})).toBeNull();
  });
});

describe("httpSource: time and closing", () => {
  it("gives up when the answer does not come, even if fetch ignores its signal", async () => {
    const error = await errorOf(httpSource(URL_, { fetch: () => new Promise(() => undefined), timeoutMs: 20 }));
    expect(error).toBeInstanceOf(CheckpointTimeoutError);
    expect(error).toMatchObject({ code: "TIMEOUT", retryable: true });
  });

  it("gives up when the body stalls, and cancels it", async () => {
    const body = streamOf([bytes.subarray(0, 10)], "stall");
    const fetch: FetchLike = async () => new Response(body.stream, { status: 206, headers: { "content-range": "bytes 0-99/10000" } });
    const error = await errorOf(httpSource(URL_, { fetch, probeBytes: 100, timeoutMs: 20 }));
    expect(error.code).toBe("TIMEOUT");
    expect(error.message).toContain("100 bytes after 10");
    expect(body.cancelled()).toBe(true);
  });

  it("does not give up on a body that keeps arriving, however long it takes as a whole", async () => {
    const slow = new ReadableStream<Uint8Array>({
      async start(controller) {
        for (let at = 0; at < 100; at += 10) {
          await new Promise((resolve) => setTimeout(resolve, 20));
          controller.enqueue(bytes.slice(at, at + 10));
        }
        controller.close();
      },
    });
    const fetch: FetchLike = async () => new Response(slow, { status: 206, headers: { "content-range": "bytes 0-99/100" } });
    expect((await httpSource(URL_, { fetch, timeoutMs: 150 })).size).toBe(100);
  });

  it("stops a read when its signal is aborted, and writes nothing into the target afterwards", async () => {
    let enqueue: (piece: Uint8Array) => void = () => undefined;
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        enqueue = (piece) => controller.enqueue(piece);
      },
    });
    const fetch = rangeFetch(file, {
      change: ({ headers }, _, count) => (count === 1 ? undefined : new Response(body, { status: 206, headers })),
    });
    const source = await httpSource(URL_, { fetch, probeBytes: 10 });
    const controller = new AbortController();
    const target = new Uint8Array(100);
    const read = errorOf(source.readInto?.(target, 200, { signal: controller.signal }) ?? Promise.resolve());
    enqueue(new Uint8Array(10).fill(1));
    await new Promise((resolve) => setTimeout(resolve, 5));
    const reason = new Error("stop");
    controller.abort(reason);
    expect(await read).toBe(reason);
    const before = target.slice();
    expect(() => enqueue(new Uint8Array(10).fill(2))).toThrow();
    expect(target).toEqual(before);
  });

  it("ends reads that are under way when it is closed", async () => {
    const fetch = rangeFetch(file, {
      change: (good, _, count) =>
        count === 1 ? undefined : new Response(streamOf([], "stall").stream, { status: 206, headers: good.headers }),
    });
    const source = await httpSource(URL_, { fetch, probeBytes: 10 });
    const read = errorOf(source.read(100, 200));
    await source.close?.();
    expect((await read).code).toBe("SOURCE_CLOSED");
    expect(await codeOf(source.read(0, 5))).toBe("SOURCE_CLOSED");
  });

  it("cancels an answer that arrives after its time", async () => {
    const body = streamOf([bytes]);
    const fetch: FetchLike = () => new Promise((resolve) => setTimeout(() => resolve(new Response(body.stream, { status: 206 })), 40));
    expect(await codeOf(httpSource(URL_, { fetch, timeoutMs: 10 }))).toBe("TIMEOUT");
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(body.cancelled()).toBe(true);
  });

  it.each([{ timeoutMs: 0 }, { timeoutMs: Number.NaN }, { probeBytes: 0 }, { probeBytes: 1.5 }])("refuses %o", async (options) => {
    expect(await codeOf(httpSource(URL_, { fetch: rangeFetch(file), ...options }))).toBe("INVALID_ARGUMENT");
  });
});
