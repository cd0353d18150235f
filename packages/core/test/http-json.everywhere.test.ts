import { describe, expect, it } from "vitest";
import { CheckpointNotFoundError, CheckpointValidationError, type FetchLike, requestJson } from "../src/index.js";

const asked: { url: string; init: RequestInit }[] = [];
const answering =
  (body: string, init: ResponseInit = {}): FetchLike =>
  async (url, requestInit) => {
    asked.push({ url, init: requestInit });
    return new Response(body, init);
  };
const ADDRESS = "https://user:s3cret@example.org/api?key=s3cret";
const failure = (options: Parameters<typeof requestJson>[1]): Promise<unknown> =>
  requestJson(ADDRESS, options).catch((reason: unknown) => reason);

describe("requestJson", () => {
  it("gives what the server answers", async () => {
    expect(await requestJson(ADDRESS, { fetch: answering('{"a":[1,null]}'), headers: { "x-a": "b" } })).toEqual({ a: [1, null] });
    const headers = new Headers(asked.at(-1)?.init.headers);
    expect([headers.get("accept"), headers.get("x-a"), headers.get("range")]).toEqual(["application/json", "b", null]);
  });

  it("posts what it is given", async () => {
    await requestJson(ADDRESS, { fetch: answering("{}"), body: { name: "é" } });
    expect(asked.at(-1)?.init).toMatchObject({ method: "POST", body: '{"name":"é"}' });
  });

  it("says what came instead of JSON, without the address's credentials", async () => {
    for (const [body, what] of [
      ["<!DOCTYPE html>", "a web page"],
      ["nonsense", "something else"],
      ["", "something else"],
    ] as const) {
      const error = await failure({ fetch: answering(body) });
      expect(error).toMatchObject({ code: "HTTP_ANSWER", message: expect.stringContaining(what) });
      expect(JSON.stringify(error)).not.toContain("s3cret");
    }
  });

  it("tells refusals by their status, or in the words of who asked", async () => {
    expect(await failure({ fetch: answering("", { status: 404 }) })).toBeInstanceOf(CheckpointNotFoundError);
    expect(await failure({ fetch: answering("", { status: 403 }) })).toMatchObject({ code: "ACCESS_DENIED" });
    expect(await failure({ fetch: answering("", { status: 503, headers: { "retry-after": "3" } }) })).toMatchObject({
      retryable: true,
      retryAfterMs: 3000,
    });
    const own = await failure({
      fetch: answering('{"code":"GONE"}', { status: 400 }),
      onRefusal: ({ body, status, name }) => new CheckpointValidationError("CHECK_FAILED", JSON.stringify([body, status, name])),
    });
    expect(own).toMatchObject({ message: '[{"code":"GONE"},400,"https://example.org/api"]' });
  });

  it("stops when it is aborted, and when the server falls silent", async () => {
    const silent: FetchLike = () => new Promise(() => undefined);
    expect(await failure({ fetch: silent, timeoutMs: 20 })).toMatchObject({ code: "TIMEOUT" });
    const controller = new AbortController();
    const pending = failure({ fetch: silent, signal: controller.signal });
    controller.abort(new Error("enough"));
    expect(await pending).toMatchObject({ message: "enough" });
  });
});
