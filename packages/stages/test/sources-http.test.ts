import { createHash } from "node:crypto";
import { closeSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { CheckpointTimeoutError } from "@ckptkit/core";
import { codeOf } from "@ckptkit/testkit";
import { bigSafetensors, fileServer, fixture, servedBytes } from "@ckptkit/testkit/node";
import { describe, expect, it } from "vitest";
import { HttpSource } from "../src/sources/http.js";
import { bytesOf, everythingOf, expectTruth, processed, SHARDED, scratchFolder, serveFixtures, testServer } from "./source-fixtures.js";

const FILE = "lightning-hparams.ckpt";
const server = testServer();
const folder = scratchFolder();
let copies = 0;
/** A folder of copies that is empty. */
const freshCopies = () => ({ downloads: { folder: join(folder, String(copies++)) } });
const url = (path = `/files/${FILE}`): string => server.now.url + path;
const serve = (options = {}): void => void server.now.files.set(`/files/${FILE}`, servedBytes(bytesOf(FILE), options));
const sha256 = createHash("sha256").update(bytesOf(FILE)).digest("hex");

describe("HttpSource: reading", () => {
  it("opens a checkpoint, records where it is from, and says that nothing vouches for it", async () => {
    serve();
    const { context, checkpoint, metadata, notices } = await processed(new HttpSource({ url: `${url()}?signature=s1gnature` }));
    expect(metadata).toMatchObject({ source_type: "http", source_url: url(), source_etag: '"v1"' });
    expect(context).toMatchObject({ checkpointPath: url(), checkpointFormat: "lightning" });
    expect(notices).toEqual([expect.stringContaining("integrity")]);
    expect(JSON.stringify([metadata, notices, context.toString()])).not.toContain("s1gnature");
    await expectTruth(checkpoint, FILE);
  });

  it("opens what the context names", async () => {
    serve();
    const { checkpoint } = await processed(new HttpSource(), {}, url());
    await expectTruth(checkpoint, FILE);
    expect(await codeOf(processed(new HttpSource(), {}, "s3://bucket/key"))).toBe("CONTEXT_INCOMPLETE");
  });

  it("fetches no more of a large file than its header", async () => {
    const big = await bigSafetensors({ bytes: 2e9 });
    try {
      const descriptor = openSync(big.path, "r");
      const pieces = (start: number, end: number): Uint8Array[] => {
        const piece = new Uint8Array(end - start);
        readSync(descriptor, piece, 0, piece.length, start);
        return [piece];
      };
      server.now.files.set("/big.safetensors", { ...servedBytes(new Uint8Array(0)), size: big.size, pieces });
      const { checkpoint } = await processed(new HttpSource({ url: url("/big.safetensors") }));
      expect(checkpoint.tensors).toHaveLength(16);
      expect(server.now.requests).toHaveLength(1);
      expect(server.now.bytesSent).toBeLessThanOrEqual(65_536);
      const first = new Float32Array(1);
      await checkpoint.tensors[3]?.readInto(new Uint8Array(first.buffer));
      expect(first[0]).toBe(3.5);
      await checkpoint.close();
      closeSync(descriptor);
    } finally {
      await big.remove();
    }
  });

  it("opens a sharded checkpoint by its index", async () => {
    serveFixtures(server.now, "/sharded", ...SHARDED);
    const { checkpoint } = await processed(new HttpSource({ url: url(`/sharded/${SHARDED[0]}`) }));
    await expectTruth(checkpoint, SHARDED[0] ?? "");
  });

  it("sends headers, and the Authorization not to where a server redirects", async () => {
    serve();
    const elsewhere = await fileServer();
    elsewhere.files.set(`/files/${FILE}`, servedBytes(bytesOf(FILE)));
    server.now.intercept = (_, response) => Boolean(response.writeHead(302, { location: `${elsewhere.url}/files/${FILE}` }).end());
    try {
      const { checkpoint } = await processed(new HttpSource({ url: url(), headers: { Authorization: "Bearer t0ken" } }));
      await expectTruth(checkpoint, FILE);
      expect(server.now.requests[0]?.headers.authorization).toBe("Bearer t0ken");
      expect(elsewhere.requests.length).toBeGreaterThan(0);
      for (const { headers } of elsewhere.requests) expect(JSON.stringify(headers)).not.toContain("t0ken");
    } finally {
      await elsewhere.close();
    }
  });
});

describe("HttpSource: failures", () => {
  it.each(["example.org/model.ckpt", "ftp://example.org/a", "https://", "http://user:s3cret@[broken"])(
    "are told when the stage is made for %s, without repeating the address",
    (bad) => {
      const error = (() => {
        try {
          return new HttpSource({ url: bad });
        } catch (reason) {
          return reason;
        }
      })();
      expect(error).toMatchObject({ code: "INVALID_ARGUMENT", message: expect.stringContaining("url") });
      expect(everythingOf(error)).not.toContain("s3cret");
    },
  );

  it("with a status of 4xx are final", async () => {
    for (const [status, code] of [
      [404, "NOT_FOUND"],
      [403, "ACCESS_DENIED"],
      [400, "HTTP_STATUS"],
    ] as const) {
      server.now.requests.length = 0;
      server.now.intercept = (_, response) => Boolean(response.writeHead(status).end());
      expect(await codeOf(processed(new HttpSource({ url: url() })))).toBe(code);
      // Beside a name that is not there, TensorFlow's name of the same checkpoint is looked for.
      const asked = server.now.requests.filter(({ url: path }) => !path?.endsWith(".index"));
      expect(asked).toHaveLength(1);
    }
  });

  it("that pass are waited for: 429 as long as the server asks, 503 and broken connections with growing waits", async () => {
    serve();
    const times: number[] = [];
    server.now.intercept = (_, response) => {
      times.push(performance.now());
      if (times.length === 1) response.writeHead(429, { "retry-after": "1" }).end();
      else if (times.length === 2) response.destroy();
      else return false;
      return true;
    };
    const { checkpoint } = await processed(new HttpSource({ url: url() }));
    const [first = 0, second = 0, third = 0] = times;
    expect(second - first).toBeGreaterThanOrEqual(990);
    // The second wait is 2 s, of which up to half is left to chance.
    expect(third - second).toBeGreaterThanOrEqual(990);
    await expectTruth(checkpoint, FILE);
  });

  it("that do not pass are told after as many tries as are allowed", async () => {
    server.now.intercept = (_, response) => Boolean(response.writeHead(503).end());
    expect(await codeOf(processed(new HttpSource({ url: url(), maxRetries: 1 })))).toBe("HTTP_STATUS");
    expect(server.now.requests).toHaveLength(2);
  });

  it("of a server that does not answer are time-outs", async () => {
    server.now.intercept = () => true;
    const error = await processed(new HttpSource({ url: url(), timeout: 0.1, maxRetries: 0 })).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(CheckpointTimeoutError);
    expect(error).toMatchObject({ details: { timeoutMs: 100 } });
  });

  it("hold no credentials of the address", async () => {
    const secret = "p4ssw0rd";
    const address = url(`/none.ckpt?sig=${secret}#${secret}`).replace("http://", `http://user:${secret}@`);
    for (const status of [401, 404, 500, 200]) {
      server.now.intercept = (_, response) => Boolean(response.writeHead(status, { "content-length": 5 }).end("<html"));
      const error = await processed(new HttpSource({ url: address, headers: { "x-key": secret }, maxRetries: 0 }), freshCopies()).catch(
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(Error);
      expect(everythingOf(error)).not.toContain(secret);
    }
  });
});

describe("HttpSource: copies", () => {
  const filesIn = (place: string): string[] =>
    readdirSync(place, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => name.replace(/^[0-9a-f]{12}/, ""))
      .sort();

  it("are made where the server knows no ranges", async () => {
    serve({ ranges: false });
    const platform = freshCopies();
    const { checkpoint, metadata } = await processed(new HttpSource({ url: url() }), platform);
    expect(metadata).toMatchObject({ source_url: url(), source_etag: '"v1"' });
    await expectTruth(checkpoint, FILE);
    expect(filesIn(platform.downloads.folder)).toEqual([".data", "copy.json"]);
  });

  it("are not made when told so", async () => {
    serve({ ranges: false });
    expect(await codeOf(processed(new HttpSource({ url: url(), download: "never" })))).toBe("HTTP_RANGE_NOT_SUPPORTED");
  });

  it("are made where a folder is given for them, and used again", async () => {
    serve();
    const cacheDir = join(folder, String(copies++));
    for (let round = 0; round < 2; round++) {
      const { checkpoint } = await processed(new HttpSource({ url: url(), cacheDir }));
      await expectTruth(checkpoint, FILE);
    }
    expect(server.now.bytesSent).toBe(fixture(FILE).byteLength);
  });

  it("are made to verify a checksum, without and with the algorithm's name", async () => {
    serve();
    const md5 = createHash("md5").update(bytesOf(FILE)).digest("hex");
    for (const expectedChecksum of [sha256, `sha256:${sha256.toUpperCase()}`, `md5:${md5}`]) {
      const { checkpoint, notices } = await processed(new HttpSource({ url: url(), expectedChecksum }), freshCopies());
      expect(notices).toEqual([]);
      await expectTruth(checkpoint, FILE);
    }
  });

  it("with another checksum are refused and removed", async () => {
    serve();
    const platform = freshCopies();
    const expectedChecksum = sha256.replace(/^./, (digit) => (digit === "0" ? "1" : "0"));
    const error = await processed(new HttpSource({ url: url(), expectedChecksum }), platform).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "CHECKSUM_MISMATCH", details: { expected: expectedChecksum, found: sha256 } });
    expect(filesIn(platform.downloads.folder)).toEqual([]);
  });

  it("are not needed for a checksum when none may be made: the file is read through once", async () => {
    serve();
    const platform = freshCopies();
    const { checkpoint } = await processed(new HttpSource({ url: url(), download: "never", expectedChecksum: sha256 }), platform);
    await expectTruth(checkpoint, FILE);
    expect(() => readdirSync(platform.downloads.folder)).toThrow();
    const wrong = new HttpSource({ url: url(), download: "never", expectedChecksum: "0".repeat(64) });
    expect(await codeOf(processed(wrong, platform))).toBe("CHECKSUM_MISMATCH");
  });

  it("verify the index of a sharded checkpoint, and fetch its shards without", async () => {
    serveFixtures(server.now, "/sharded", ...SHARDED);
    const expectedChecksum = createHash("sha256")
      .update(bytesOf(SHARDED[0] ?? ""))
      .digest("hex");
    const source = new HttpSource({ url: url(`/sharded/${SHARDED[0]}`), expectedChecksum });
    await expectTruth((await processed(source, freshCopies())).checkpoint, SHARDED[0] ?? "");
  });

  it("of a wrong checksum's spelling are told when the stage is made", () => {
    for (const expectedChecksum of ["abc", "sha999:00", `sha256:${"g".repeat(64)}`]) {
      expect(() => new HttpSource({ url: url(), expectedChecksum })).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
    }
  });
});
