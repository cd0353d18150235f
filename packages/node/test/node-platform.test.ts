import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { pathToFileURL } from "node:url";
import type { FetchLike } from "@ckptkit/core";
import { codeOf, expectSameBytes, patternBytes } from "@ckptkit/testkit";
import { afterEach, describe, expect, it, vi } from "vitest";
import { nodePlatform } from "../src/index.js";
import { tempFolder } from "./temp-folder.js";

const { at } = tempFolder();
const bytes = patternBytes(100_000);

describe("nodePlatform: open", () => {
  it("opens paths and file: addresses, also with a colon in the name", async () => {
    const path = at("step:100.ckpt");
    writeFileSync(path, bytes);
    for (const uri of [path, String(pathToFileURL(path))]) {
      const source = await nodePlatform().open(uri);
      expectSameBytes(await source.read(0, 100_000), bytes);
      await source.close?.();
    }
  });

  it("opens http addresses of a real server, and repeats what fails for a while", async () => {
    let requests = 0;
    const server = createServer((request, response) => {
      if (requests++ % 2 === 0) return response.writeHead(503).end();
      const [start = 0, last = 0] =
        /(\d+)-(\d+)/
          .exec(request.headers.range ?? "")
          ?.slice(1)
          .map(Number) ?? [];
      const body = bytes.subarray(start, last + 1);
      response.writeHead(206, { "content-range": `bytes ${start}-${start + body.length - 1}/${bytes.length}` }).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const platform = nodePlatform({ retry: { baseDelayMs: 1 } });
      const source = await platform.open(`http://127.0.0.1:${(server.address() as AddressInfo).port}/model.ckpt`);
      expectSameBytes(await source.read(0, 100_000), bytes);
      expect(requests).toBe(4);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it("passes headers and time-outs on, and repeats nothing when told so", async () => {
    let requests = 0;
    const fetch: FetchLike = async (_, init) => {
      requests++;
      expect(new Headers(init.headers).get("authorization")).toBe("Bearer t");
      return new Response("", { status: 503 });
    };
    const platform = nodePlatform({ http: { fetch, headers: { Authorization: "Bearer t" } }, retry: false });
    expect(await codeOf(platform.open("https://example.org/a.ckpt"))).toBe("HTTP_STATUS");
    expect(requests).toBe(1);
  });

  it("stops opening when it is aborted, also between two tries", async () => {
    const controller = new AbortController();
    const fetch: FetchLike = async () => {
      setTimeout(() => controller.abort(new Error("enough")), 5);
      return new Response("", { status: 503, headers: { "retry-after": "30" } });
    };
    await expect(nodePlatform({ http: { fetch } }).open("https://example.org/a", { signal: controller.signal })).rejects.toThrow("enough");
    await expect(nodePlatform().open(at("nothing"), { signal: controller.signal })).rejects.toThrow("enough");
  });

  it("opens s3: and hf: addresses with what the environment says", async () => {
    const asked: [string, string | null][] = [];
    const fetch: FetchLike = async (url, init) => {
      asked.push([url, new Headers(init.headers).get("authorization")?.slice(0, 34) ?? null]);
      if (url.includes("/api/")) return Response.json({ sha: "e".repeat(40), siblings: [{ rfilename: "a.ckpt" }] });
      const body = bytes.slice(0, 65_536);
      return new Response(body, { status: 206, headers: { "content-range": `bytes 0-65535/${bytes.length}` } });
    };
    const environment = { AWS_ACCESS_KEY_ID: "AKIDNODE", AWS_SECRET_ACCESS_KEY: "s3cret", AWS_REGION: "eu-west-3", HF_TOKEN: "hf_x" };
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
    for (const name of ["AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "HF_ENDPOINT"]) vi.stubEnv(name, undefined);
    try {
      const platform = nodePlatform({ http: { fetch, headers: { "x-secret": "for http only" } } });
      for (const uri of ["s3://models/a.ckpt", "hf://o/n/a.ckpt"]) expect((await platform.open(uri)).size).toBe(bytes.length);
      expect(asked).toEqual([
        ["https://models.s3.eu-west-3.amazonaws.com/a.ckpt", "AWS4-HMAC-SHA256 Credential=AKIDNO"],
        ["https://huggingface.co/api/models/o/n/revision/main", "Bearer hf_x"],
        [`https://huggingface.co/o/n/resolve/${"e".repeat(40)}/a.ckpt`, "Bearer hf_x"],
      ]);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it.each(["gs://bucket/model.ckpt", "wasbs://container/a", "ftp://example.org/a"])("says what is supported for %s", async (uri) => {
    const error = await nodePlatform()
      .open(uri)
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "UNSUPPORTED_URI", message: expect.stringContaining("https://") });
  });
});

describe("nodePlatform: create", () => {
  it("writes paths and file: addresses", async () => {
    const path = at("out.bin");
    for (const uri of [path, String(pathToFileURL(path))]) {
      const sink = await nodePlatform().create(uri);
      await sink.write(bytes);
      await sink.commit();
      expectSameBytes(new Uint8Array(readFileSync(path)), bytes);
    }
  });

  it("replaces nothing when it is set up so", async () => {
    const path = at("kept.bin");
    writeFileSync(path, "theirs");
    expect(await codeOf(nodePlatform({ sink: { overwrite: false } }).create(path))).toBe("DESTINATION_EXISTS");
  });

  it("does not take an address for a file name", async () => {
    expect(await codeOf(nodePlatform().create("https://example.org/a.ckpt"))).toBe("UNSUPPORTED_URI");
    expect(existsSync("https:")).toBe(false);
  });
});

describe("nodePlatform: kernels", () => {
  afterEach(() => {
    vi.doUnmock("@ckptkit/wasm");
    vi.resetModules();
  });

  it("loads the WebAssembly kernels once", async () => {
    const platform = nodePlatform();
    const kernels = await platform.kernels();
    expect(kernels.name).toMatch(/^wasm/);
    expect(await platform.kernels()).toBe(kernels);
  });

  it("falls back to plain JavaScript where WebAssembly cannot run", async () => {
    vi.resetModules();
    // Imported anew, so that the error is of the same class that the fresh platform knows.
    const { CheckpointError } = await import("@ckptkit/core");
    const compileKernels = () => Promise.reject(new CheckpointError("KERNELS_UNAVAILABLE", "no SIMD here"));
    vi.doMock("@ckptkit/wasm", () => ({ compileKernels }));
    const fresh = await import("../src/index.js");
    expect((await fresh.nodePlatform().kernels()).name).toBe("js");
  });
});
