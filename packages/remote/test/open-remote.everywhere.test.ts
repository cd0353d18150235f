import type { FetchLike } from "@ckptkit/core";
import { codeOf, expectSameBytes, patternBytes } from "@ckptkit/testkit";
import { describe, expect, it } from "vitest";
import { openHttp, openRemote } from "../src/index.js";

const bytes = patternBytes(100_000);

/** Answers ranges of the file, after `failures` answers of 503. */
function serving(failures = 0): { asked: Headers[]; fetch: FetchLike } {
  const asked: Headers[] = [];
  const fetch: FetchLike = async (_, init) => {
    const headers = new Headers(init.headers);
    asked.push(headers);
    if (asked.length <= failures) return new Response("", { status: 503 });
    const [, start = "0", last = ""] = /bytes=(\d+)-(\d*)/.exec(headers.get("range") ?? "") ?? [];
    const end = Math.min(last === "" ? bytes.length : Number(last) + 1, bytes.length);
    const range = `bytes ${start}-${end - 1}/${bytes.length}`;
    return new Response(bytes.slice(Number(start), end), { status: 206, headers: { "content-range": range, etag: '"v1"' } });
  };
  return { asked, fetch };
}

describe("openRemote", () => {
  it("opens web addresses by range, and tells their version", async () => {
    const { fetch, asked } = serving();
    const source = await openRemote("https://example.org/a.ckpt?sig=x", { fetch }, { headers: { "x-a": "b" } });
    expect(source).toMatchObject({ name: "https://example.org/a.ckpt", size: bytes.length, version: { etag: '"v1"' } });
    expectSameBytes(await source.read(70_000, 80_000), bytes.subarray(70_000, 80_000));
    expect(asked.map((headers) => [headers.get("range"), headers.get("x-a")])).toEqual([
      ["bytes=0-65535", "b"],
      ["bytes=70000-79999", "b"],
    ]);
  });

  it("repeats what fails for a while, as often as it is told", async () => {
    const retry = { retries: 2, baseDelayMs: 0 };
    const source = await openHttp("https://example.org/a", serving(2), { retry });
    expect(source.size).toBe(bytes.length);
    expect(await codeOf(openHttp("https://example.org/a", serving(3), { retry }))).toBe("HTTP_STATUS");
    expect(await codeOf(openHttp("https://example.org/a", serving(1), { retry: false }))).toBe("HTTP_STATUS");
  });

  it("copies into memory when told to and nothing keeps copies, and reports progress", async () => {
    const seen: number[] = [];
    const source = await openHttp("https://example.org/a", serving(), { download: "always", onProgress: ({ done }) => seen.push(done) });
    expectSameBytes(await source.read(0, source.size), bytes);
    expect(seen.at(-1)).toBe(bytes.length);
  });

  it.each([
    ["gs://bucket/a", "storage.googleapis.com"],
    ["abfss://container/a", "az storage blob"],
    ["dbfs:/a", "databricks"],
  ])("says what to do about %s", async (uri, hint) => {
    const error = await openRemote(uri, {}).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "UNSUPPORTED_URI", suggestions: [expect.stringContaining(hint)] });
  });

  it("is for addresses, not for paths", async () => {
    expect(await codeOf(openRemote("model.ckpt", {}))).toBe("UNSUPPORTED_URI");
  });
});
