import { CheckpointConfigError } from "@ckptkit/core";
import { CheckpointContext } from "@ckptkit/core/pipeline";
import { codeOf } from "@ckptkit/testkit";
import { loadFixture } from "@ckptkit/testkit/vite";
import { describe, expect, it } from "vitest";
import { BlobSource } from "../src/sources/blob.js";
import { HttpSource } from "../src/sources/http.js";
import { HuggingfaceSource } from "../src/sources/huggingface.js";
import { S3Source } from "../src/sources/s3.js";
import { memoryPlatform } from "./memory-platform.js";

const FILE = "st-basic.safetensors";
const file = async (name: string): Promise<File> => new File([await loadFixture(name)], name);

/** A `fetch` that answers ranges of these bytes; what was asked is kept. */
function serving(bytes: Uint8Array, answer?: (url: string) => Response | undefined) {
  const asked: { url: string; headers: Headers }[] = [];
  const fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const headers = new Headers(init.headers);
    asked.push({ url, headers });
    const own = answer?.(url);
    if (own) return own;
    const [, start = "0", last = ""] = /bytes=(\d+)-(\d*)/.exec(headers.get("range") ?? "") ?? [];
    const end = Math.min(last === "" ? bytes.length : Number(last) + 1, bytes.length);
    return new Response(bytes.slice(Number(start), end), {
      status: 206,
      headers: { "content-range": `bytes ${start}-${end - 1}/${bytes.length}`, etag: '"v1"' },
    });
  };
  return { asked, platform: { ...memoryPlatform(), fetch } };
}

describe("BlobSource", () => {
  it("opens a File, whatever made it", async () => {
    const context = await new BlobSource({ blob: await file(FILE) }).process(new CheckpointContext());
    expect(context.metadata).toMatchObject({ source_type: "blob", source_path: FILE });
    expect(context.checkpoint?.format).toBe("safetensors");
    expect(context.hasCheckpointData).toBe(true);
  });

  it("opens a sharded checkpoint whose shards are given beside it, and names one that is not", async () => {
    const names = [1, 2, 3].map((part) => `st-sharded-0000${part}-of-00003.safetensors`);
    const blob = await file("st-sharded.safetensors.index.json");
    const siblings = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await file(name)])));
    const context = await new BlobSource({ blob, siblings }).process(new CheckpointContext());
    expect(context.checkpoint?.format).toBe("safetensors-sharded");
    const missing = await new BlobSource({ blob }).process(new CheckpointContext()).catch((reason: unknown) => reason);
    expect(missing).toMatchObject({ code: "SAFETENSORS_INDEX", details: { shard: names[0] } });
  });

  it("refuses what is no Blob", () => {
    // @ts-expect-error: what JavaScript may give
    expect(() => new BlobSource({ blob: "model.ckpt" })).toThrow(CheckpointConfigError);
  });
});

describe("sources of remote files, with nothing but fetch", () => {
  it("read a web server's file", async () => {
    const { platform, asked } = serving(await loadFixture(FILE));
    const { checkpoint } = await new HttpSource({ url: "https://example.org/a.safetensors" }).process(new CheckpointContext({ platform }));
    expect(checkpoint?.tensors.length).toBeGreaterThan(0);
    expect(asked[0]?.headers.get("range")).toBe("bytes=0-65535");
  });

  it("sign requests to S3", async () => {
    const { platform, asked } = serving(await loadFixture(FILE));
    const source = new S3Source({
      url: "s3://bucket/run 1/a.safetensors",
      region: "eu-west-1",
      accessKeyId: "AKID",
      secretAccessKey: "s3cret",
    });
    const { metadata } = await source.process(new CheckpointContext({ platform }));
    expect(metadata).toMatchObject({ s3_bucket: "bucket", s3_key: "run 1/a.safetensors" });
    expect(asked[0]?.url).toBe("https://bucket.s3.eu-west-1.amazonaws.com/run%201/a.safetensors");
    expect(asked[0]?.headers.get("authorization")).toMatch(/^AWS4-HMAC-SHA256 Credential=AKID\/\d{8}\/eu-west-1\/s3\/aws4_request, /);
  });

  it("resolve a branch of the Hub to its commit", async () => {
    const sha = "d".repeat(40);
    const { platform, asked } = serving(await loadFixture(FILE), (url) =>
      url.includes("/api/") ? Response.json({ sha, siblings: [{ rfilename: "a.safetensors" }] }) : undefined,
    );
    const { metadata } = await new HuggingfaceSource({ url: "hf://o/n/a.safetensors" }).process(new CheckpointContext({ platform }));
    expect(metadata.source_revision).toBe(sha);
    expect(asked.map(({ url }) => url)).toEqual([
      "https://huggingface.co/api/models/o/n/revision/main",
      `https://huggingface.co/o/n/resolve/${sha}/a.safetensors`,
    ]);
  });

  it("fetch a file whole into a Blob where the server knows no ranges and nothing keeps copies", async () => {
    const bytes = await loadFixture(FILE);
    const whole = (): Response => new Response(bytes.slice(), { status: 200, headers: { "content-length": String(bytes.length) } });
    const { platform } = serving(bytes, whole);
    const context = new CheckpointContext({ platform });
    const url = "https://example.org/a.safetensors";
    const { checkpoint } = await new HttpSource({ url }).process(context);
    expect(checkpoint?.uri).toBe(url);
    expect((await checkpoint?.tensors[0]?.read())?.length).toBe(checkpoint?.tensors[0]?.byteLength);
    expect(await codeOf(new HttpSource({ url, download: "never" }).process(context))).toBe("HTTP_RANGE_NOT_SUPPORTED");
    expect(await codeOf(new HttpSource({ url, expectedChecksum: "0".repeat(64) }).process(context))).toBe("CHECKSUM_MISMATCH");
  });
});
