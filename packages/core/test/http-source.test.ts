import { Readable } from "node:stream";
import { byteSourceContract, codeOf, expectSameBytes, patternBytes } from "@ckptkit/testkit";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { CheckpointSourceError, httpSource, retrySource, withRetries } from "../src/index.js";
import { answerGzip, answerRange, faultServer } from "./fault-server.js";

const file = patternBytes(1_000_000);
let server: Awaited<ReturnType<typeof faultServer>>;
beforeAll(async () => {
  server = await faultServer(file);
});
afterAll(() => server.close());
beforeEach(() => {
  Object.assign(server.state, { file, etag: '"v1"', fault: undefined, requests: [], cut: 0 });
});

byteSourceContract("httpSource of a real server", async (bytes) => {
  if (bytes.length === 0) {
    server.state.fault = (_, response) => response.writeHead(416, { "content-range": "bytes */0" }).end();
  } else server.state.fault = undefined;
  server.state.file = bytes;
  return httpSource(server.url, { probeBytes: 5000 });
});

describe("httpSource against a real server", () => {
  /** Opens while the server is good. */
  const open = (options = {}) => httpSource(server.url, { probeBytes: 1000, ...options });

  it("reads a megabyte exactly, and asks for bytes as they are", async () => {
    const source = await open();
    expectSameBytes(await source.read(0, 1_000_000), file);
    expect(server.state.requests.map(({ headers }) => headers["accept-encoding"])).toEqual(["identity", "identity"]);
    expect(server.state.requests[1]?.headers["if-range"]).toBe('"v1"');
  });

  it("leaves a server that ignores ranges before it has sent the whole file", async () => {
    const pieces = 1024;
    let sent = 0;
    server.state.fault = (_, response) => {
      response.writeHead(200, { "content-length": pieces * 65_536 });
      const body = Readable.from(
        (function* () {
          for (; sent < pieces; sent++) yield Buffer.alloc(65_536);
        })(),
      );
      body.pipe(response);
    };
    expect(await codeOf(open())).toBe("HTTP_RANGE_NOT_SUPPORTED");
    await expect.poll(() => server.state.cut).toBe(1);
    expect(sent).toBeLessThan(pieces / 2);
  });

  it("notices a server that lies about the range or shifts it", async () => {
    const source = await open();
    server.state.fault = (_, response, { start, end }) => answerRange(server.state, response, start + 1, end + 1);
    expect(await codeOf(source.read(5000, 6000))).toBe("HTTP_BAD_RANGE");
    server.state.fault = (_, response) => answerRange(server.state, response, 0, 1000);
    expect(await codeOf(source.read(5000, 6000))).toBe("HTTP_BAD_RANGE");
  });

  it("notices a body that is cut off", async () => {
    const source = await open();
    server.state.fault = (_, response, { start, end }) => {
      response.writeHead(206, { "content-range": `bytes ${start}-${end - 1}/${file.length}`, "content-length": end - start });
      response.write(file.subarray(start, end - 100), () => response.destroy());
    };
    const error = await source.read(5000, 500_000).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "READ_FAILED", retryable: true });
  });

  it("notices a chunked body that ends early, or goes on", async () => {
    const source = await open();
    const chunked = (extra: number) => {
      server.state.fault = (_, response, { start, end }) => {
        response.writeHead(206, { "content-range": `bytes ${start}-${end - 1}/${file.length}` });
        response.write(file.subarray(start, start + 10));
        response.end(file.subarray(start + 10, end + extra));
      };
    };
    chunked(-1);
    expect(await codeOf(source.read(5000, 6000))).toBe("READ_FAILED");
    chunked(1);
    expect(await codeOf(source.read(5000, 6000))).toBe("HTTP_BAD_RANGE");
    chunked(0);
    expectSameBytes(await source.read(5000, 6000), file.subarray(5000, 6000));
  });

  it("notices that the file changes between two reads", async () => {
    const source = await open();
    server.state.etag = '"v2"';
    expect(await codeOf(source.read(5000, 6000))).toBe("SOURCE_CHANGED");
    server.state.etag = '"v1"';
    server.state.file = file.subarray(0, 999_999);
    expect(await codeOf(source.read(5000, 6000))).toBe("SOURCE_CHANGED");
  });

  it("notices compression", async () => {
    server.state.fault = (_, response, { start, end }) => answerGzip(server.state, response, start, end);
    expect(await codeOf(open())).toBe("HTTP_BAD_RANGE");
  });

  it("comes back after 429 and 503 as asked", async () => {
    const waits: number[] = [];
    const sleep = async (delayMs: number): Promise<void> => {
      waits.push(delayMs);
    };
    let answers = 0;
    server.state.fault = (_, response, { start, end }) => {
      if (++answers === 1) response.writeHead(429, { "retry-after": "7" }).end("slow down");
      else if (answers === 2) response.writeHead(503).end();
      else answerRange(server.state, response, start, end);
    };
    const options = { sleep, jitter: 0 };
    const source = retrySource(await withRetries(() => open(), options), options);
    answers = 0;
    expectSameBytes(await source.read(5000, 6000), file.subarray(5000, 6000));
    expect(waits).toEqual([7000, 2000, 7000, 2000]);
  });

  it("gives up on a server that stalls, before its answer and within it", async () => {
    server.state.fault = () => undefined;
    expect(await codeOf(open({ timeoutMs: 50 }))).toBe("TIMEOUT");
    server.state.fault = undefined;
    const source = await open({ timeoutMs: 50 });
    server.state.fault = (_, response, { start, end }) => {
      response.writeHead(206, { "content-range": `bytes ${start}-${end - 1}/${file.length}`, "content-length": end - start });
      response.write(file.subarray(start, start + 10));
    };
    expect(await codeOf(source.read(5000, 6000))).toBe("TIMEOUT");
    await expect.poll(() => server.state.cut).toBe(2);
  });

  it("closes the connection of a read that is aborted", async () => {
    const source = await open();
    server.state.fault = (_, response, { start, end }) => {
      response.writeHead(206, { "content-range": `bytes ${start}-${end - 1}/${file.length}`, "content-length": end - start });
      response.write(file.subarray(start, start + 10));
    };
    await expect(source.read(5000, 6000, { signal: AbortSignal.timeout(30) })).rejects.toMatchObject({ name: "TimeoutError" });
    await expect.poll(() => server.state.cut).toBe(1);
  });

  it("follows redirects, keeping the range", async () => {
    server.state.fault = (request, response, { start, end }) => {
      if (request.url === "/model.bin") response.writeHead(302, { location: "/elsewhere.bin" }).end();
      else answerRange(server.state, response, start, end);
    };
    const source = await open();
    expectSameBytes(await source.read(5000, 6000), file.subarray(5000, 6000));
    expect(source.name).toBe(server.url);
  });

  it("says what failed when nobody answers at all", async () => {
    const closed = await faultServer(file);
    await closed.close();
    const error = await httpSource(closed.url).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(CheckpointSourceError);
    expect(error).toMatchObject({ code: "READ_FAILED", retryable: true, message: expect.stringContaining("ECONNREFUSED") });
  });

  it("gives a descriptor from which the same source can be opened elsewhere", async () => {
    const source = await httpSource(`${server.url}?sig=s1gnature`, { headers: { "x-token": "s3cret" } });
    expect(source.descriptor?.()).toMatchObject({ kind: "http", url: `${server.url}?sig=s1gnature`, headers: { "x-token": "s3cret" } });
    expect(source.name).not.toContain("s1gnature");
  });
});
