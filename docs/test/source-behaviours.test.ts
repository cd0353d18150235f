import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CheckpointContext } from "@ckptkit/core/pipeline";
import { nodePlatform } from "@ckptkit/node";
import { HttpSource, LocalSource, S3Source, UriSource } from "@ckptkit/stages/sources";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROOT } from "../src/pages.js";

const FILE = `${ROOT}fixtures/files/vit-tiny.ckpt`;
const bytes = readFileSync(FILE);
const folder = mkdtempSync(join(tmpdir(), "ckpt-docs-"));
const platform = nodePlatform({ downloads: { folder } });
const context = (init = {}) => new CheckpointContext({ platform, ...init });
const server = createServer(({ headers }, answer) => {
  const [, from = "0", to] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? "") ?? [];
  const end = Math.min(bytes.length, to ? Number(to) + 1 : bytes.length);
  const part = bytes.subarray(Number(from), end);
  const range = headers.range && { "Content-Range": `bytes ${from}-${end - 1}/${bytes.length}` };
  answer.writeHead(range ? 206 : 200, { "Content-Length": part.length, ETag: '"1"', "Accept-Ranges": "bytes", ...range }).end(part);
});
let url = "";
beforeAll(async () => {
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/vit-tiny.ckpt`; // of a server that listens to a port
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("sources", () => {
  it("takes its path from the option, the context or the configuration", async () => {
    for (const [options, init] of [
      [{ path: FILE }, {}],
      [{}, { checkpointPath: FILE }],
      [{}, { config: { checkpoint_path: FILE } }],
    ] as const) {
      const { checkpoint } = await new LocalSource(options).process(context(init));
      expect(checkpoint?.layout).toBe("lightning");
      await checkpoint?.close();
    }
    await expect(new LocalSource().process(context())).rejects.toMatchObject({ code: "CONTEXT_INCOMPLETE" });
  });

  it("refuses a wrong address when it is made", () => {
    const refused = expect.objectContaining({ name: "CheckpointConfigError", code: "INVALID_ARGUMENT" });
    expect(() => new HttpSource({ url: "ftp://example.org/a.ckpt" })).toThrow(refused);
    expect(() => new HttpSource({ url: "https://" })).toThrow(refused);
    expect(() => new S3Source({ url: "https://example.org/a.ckpt" })).toThrow(refused);
    expect(() => new S3Source({ url: "s3://bucket-without-key" })).toThrow(refused);
  });

  it("has 3 retries and 300 seconds, and the names of Python", () => {
    expect(new HttpSource({ url }).options).toMatchObject({ maxRetries: 3, timeout: 300 });
    const python: object = { url, max_retries: 5, timeout: 60, expected_checksum: "00".repeat(32) };
    expect(new HttpSource(python).options).toMatchObject({ maxRetries: 5, timeout: 60, expectedChecksum: "00".repeat(32) });
  });

  it("say which addresses they handle", () => {
    expect([HttpSource, S3Source, LocalSource].map(({ supports }) => supports("s3://bucket/key"))).toEqual([false, true, false]);
    expect([HttpSource, S3Source, LocalSource].map(({ supports }) => supports("https://example.org/a"))).toEqual([true, false, false]);
    expect([HttpSource, S3Source, LocalSource].map(({ supports }) => supports("C:\\models\\a.ckpt"))).toEqual([false, false, true]);
  });

  it("records where the checkpoint came from", async () => {
    const local = await new UriSource({ uri: FILE }).process(context());
    expect(local.metadata).toMatchObject({ source_type: "local", source_path: FILE });
    const remote = await new UriSource({ uri: `${url}?signature=secret` }).process(context());
    expect(remote.metadata).toMatchObject({ source_type: "http", source_url: url });
    expect(JSON.stringify(remote.metadata)).not.toContain("secret");
    await local.checkpoint?.close();
    await remote.checkpoint?.close();
  });
});
