import { createHash } from "node:crypto";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { codeOf } from "@ckptkit/testkit";
import { fileServer, servedBytes } from "@ckptkit/testkit/node";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { HttpSource } from "../src/sources/http.js";
import { S3Source } from "../src/sources/s3.js";
import { type S3Server, s3Server } from "./s3-server.js";
import { presign } from "./signature-check.js";
import { bytesOf, everythingOf, expectTruth, processed, SHARDED, scratchFolder } from "./source-fixtures.js";

const FILE = "lightning-hparams.ckpt";
const account = { accessKeyId: "AKIDTESTKEY", secretAccessKey: "wJalr+S3CR3T/with=signs", sessionToken: "s3ssi0n+T0ken/==" };
const folder = scratchFolder();
let server: S3Server;
beforeAll(async () => {
  server = await s3Server(account, "eu-central-1");
});
afterAll(() => server.close());
beforeEach(() => {
  server.objects.clear();
  server.open.clear();
  server.skewMs = 0;
  Object.assign(server.files, { bytesSent: 0, cutAfter: undefined });
  server.files.requests.length = 0;
  server.objects.set(`models/${FILE}`, servedBytes(bytesOf(FILE)));
  for (const name of Object.keys(process.env)) if (name.startsWith("AWS_")) vi.stubEnv(name, undefined);
  // No test asks the machine that it runs on for credentials.
  vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
  vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", join(folder, "none"));
  vi.stubEnv("AWS_CONFIG_FILE", join(folder, "none"));
});
afterEach(() => vi.unstubAllEnvs());

/** A source with everything that it needs; `maxRetries: 0`, so that nothing that fails is waited for. */
const source = (key = FILE, options: ConstructorParameters<typeof S3Source>[0] = {}): S3Source =>
  new S3Source({ url: `s3://models/${key}`, endpoint: server.endpoint, region: "eu-central-1", maxRetries: 0, ...account, ...options });

describe("S3Source", () => {
  it("opens an object with signed range requests, and records bucket and key", async () => {
    const { checkpoint, metadata, context } = await processed(source());
    expect(metadata).toEqual({
      source_type: "s3",
      source_url: `s3://models/${FILE}`,
      s3_bucket: "models",
      s3_key: FILE,
      source_etag: '"v1"',
    });
    expect(context.checkpointPath).toBe(`s3://models/${FILE}`);
    await expectTruth(checkpoint, FILE);
    for (const { headers } of server.files.requests) expect(headers.range).toMatch(/^bytes=\d+-\d+$/);
  });

  it.each(["run 7/a+b (1)&=~*!'.ckpt", "100%/50%25.ckpt", "日本/重み.ckpt", "a//b?c#d.ckpt", ';:@,$[]|\\^`{}<>".ckpt'])(
    "opens the key %s",
    async (key) => {
      server.objects.set(`models/${key}`, servedBytes(bytesOf(FILE)));
      const { checkpoint, metadata } = await processed(source(key));
      expect(metadata.s3_key).toBe(key);
      await expectTruth(checkpoint, FILE);
    },
  );

  it("finds the bucket in the host name on AWS, and its region by itself", async () => {
    const onAws = new S3Source({ url: `s3://models/${FILE}`, ...account });
    const { checkpoint } = await processed(onAws, { http: { fetch: server.fetch } });
    const hosts = server.files.requests.map(({ headers }) => headers["test-host"]);
    expect(hosts[0]).toBe("models.s3.us-east-1.amazonaws.com");
    // One request goes to the wrong region, and no other.
    expect(new Set(hosts.slice(1))).toEqual(new Set(["models.s3.eu-central-1.amazonaws.com"]));
    await expectTruth(checkpoint, FILE);
  });

  it("writes buckets with dots into the path, where certificates do not fit them", async () => {
    server.objects.set("my.models/a.ckpt", servedBytes(bytesOf(FILE)));
    const onAws = new S3Source({ url: "s3://my.models/a.ckpt", region: "eu-central-1", ...account });
    await (await processed(onAws, { http: { fetch: server.fetch } })).checkpoint.close();
    expect(server.files.requests[0]?.headers["test-host"]).toBe("s3.eu-central-1.amazonaws.com");
  });

  it("opens a version of an object, and records the one that it got", async () => {
    server.objects.set(`models/${FILE}?versionId=v.1_x`, { ...servedBytes(bytesOf(FILE)), versionId: "v.1_x" });
    for (const versioned of [source(FILE, { versionId: "v.1_x" }), source(`${FILE}?versionId=v.1_x`)]) {
      const { checkpoint, metadata } = await processed(versioned);
      expect(metadata).toMatchObject({ source_version_id: "v.1_x", s3_key: FILE });
      await expectTruth(checkpoint, FILE);
    }
    expect(await codeOf(processed(source(FILE, { versionId: "none" })))).toBe("NOT_FOUND");
  });

  it("opens sharded checkpoints", async () => {
    for (const file of SHARDED) server.objects.set(`models/run 1/${file}`, servedBytes(bytesOf(file)));
    await expectTruth((await processed(source(`run 1/${SHARDED[0]}`))).checkpoint, SHARDED[0] ?? "");
  });

  it("opens public buckets without a signature", async () => {
    server.open.add("models");
    const open = new S3Source({ url: `s3://models/${FILE}`, endpoint: server.endpoint, anonymous: true });
    await expectTruth((await processed(open)).checkpoint, FILE);
    for (const { headers } of server.files.requests) expect(headers.authorization).toBeUndefined();
  });

  it("verifies checksums by signed downloads", async () => {
    const expectedChecksum = createHash("sha256").update(bytesOf(FILE)).digest("hex");
    const platform = { downloads: { folder: join(folder, "copies") } };
    const { checkpoint, metadata } = await processed(source(FILE, { expectedChecksum }), platform);
    expect(metadata).toMatchObject({ source_url: `s3://models/${FILE}`, source_etag: '"v1"' });
    await expectTruth(checkpoint, FILE);
    expect(readdirSync(platform.downloads.folder)).toHaveLength(1);
    expect(await codeOf(processed(source(FILE, { expectedChecksum: "0".repeat(64) }), platform))).toBe("CHECKSUM_MISMATCH");
  });

  it("reads signed addresses as web addresses, whose signature nobody sees", async () => {
    const url = presign(`${server.endpoint}/models/${FILE}`, account, "eu-central-1", Date.now(), 60);
    const { checkpoint, metadata, notices, context } = await processed(new HttpSource({ url }));
    await expectTruth(checkpoint, FILE);
    const told = JSON.stringify([metadata, notices, context.checkpointPath, String(context), checkpoint.uri]);
    for (const part of new URL(url).searchParams.values()) if (part.length > 10) expect(told).not.toContain(part);
    const late = presign(`${server.endpoint}/models/${FILE}`, account, "eu-central-1", Date.now() - 3_600_000, 60);
    expect(await codeOf(processed(new HttpSource({ url: late })))).toBe("ACCESS_DENIED");
  });
});

describe("S3Source: credentials", () => {
  /** A source that must find credentials by itself. */
  const bare = (): S3Source => new S3Source({ url: `s3://models/${FILE}`, endpoint: server.endpoint, maxRetries: 0 });
  const opens = async (): Promise<void> => expectTruth((await processed(bare())).checkpoint, FILE);
  const stub = (name: string, lines: string[]): void => {
    const path = join(folder, `${name}-${Math.random()}`);
    writeFileSync(path, lines.join("\n"));
    vi.stubEnv(name, path);
  };
  const KEYS = [
    `aws_access_key_id = ${account.accessKeyId}`,
    `aws_secret_access_key=${account.secretAccessKey}`,
    `aws_session_token = ${account.sessionToken}`,
  ];

  beforeEach(() => vi.stubEnv("AWS_REGION", "eu-central-1"));

  it("come from the environment, with region and endpoint", async () => {
    vi.stubEnv("AWS_ACCESS_KEY_ID", account.accessKeyId);
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", account.secretAccessKey);
    vi.stubEnv("AWS_SESSION_TOKEN", account.sessionToken);
    vi.stubEnv("AWS_ENDPOINT_URL_S3", server.endpoint);
    const { checkpoint } = await processed(new S3Source(), {}, `s3://models/${FILE}`);
    await expectTruth(checkpoint, FILE);
  });

  it("come from the default profile's keys", async () => {
    stub("AWS_SHARED_CREDENTIALS_FILE", ["# comment", "[other]", "aws_access_key_id = x", "[default]", ...KEYS]);
    await opens();
  });

  it("come from the keys of the profile that is named", async () => {
    stub("AWS_CONFIG_FILE", ["[default]", "region = x", "[profile work]", "s3 =", "  addressing_style = path", ...KEYS]);
    vi.stubEnv("AWS_PROFILE", "work");
    await opens();
  });

  it("come from a program that a profile names, through the AWS SDK's own chain", async () => {
    const { accessKeyId, secretAccessKey, sessionToken } = account;
    const answer = JSON.stringify({ Version: 1, AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken: sessionToken });
    const program = join(folder, "credentials.mjs");
    writeFileSync(program, `process.stdout.write(${JSON.stringify(answer)})`);
    stub("AWS_CONFIG_FILE", ["[default]", `credential_process = ${process.execPath} ${program}`]);
    await opens();
  });

  it("that are nowhere to be found are missed by name", async () => {
    const error = await processed(bare()).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: "ACCESS_DENIED",
      suggestions: expect.arrayContaining([expect.stringContaining("AWS_ACCESS_KEY_ID")]),
    });
    expect(server.files.requests[0]?.headers.authorization).toBeUndefined();
  });
});

describe("S3Source: failures", () => {
  it.each(["s3://", "s3://models", "s3://models/", "s3://models/run/", "s3://a b/key", "https://example.org/a", "s3://models/../x"])(
    "are told when the stage is made for %s",
    (url) =>
      expect(() => new S3Source({ url })).toThrow(expect.objectContaining({ name: "CheckpointConfigError", code: "INVALID_ARGUMENT" })),
  );

  it("are told when the stage is made for half a key pair and for an endpoint that is none", () => {
    const url = "s3://models/a";
    expect(() => new S3Source({ url, accessKeyId: "AKID" })).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
    expect(() => new S3Source({ url, endpoint: "storage.example.org" })).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
  });

  it("name an object and a bucket that are not there", async () => {
    const absent = await processed(source("absent.ckpt")).catch((reason: unknown) => reason);
    expect(absent).toMatchObject({ name: "CheckpointNotFoundError", message: expect.stringContaining("s3://models/absent.ckpt") });
    const bucket = await processed(source(FILE, { url: "s3://no-bucket/a" })).catch((reason: unknown) => reason);
    expect(bucket).toMatchObject({ name: "CheckpointNotFoundError", message: expect.stringContaining("bucket does not exist") });
  });

  it.each([
    ["a wrong secret", { secretAccessKey: "wrong+S3CR3T" }, "SignatureDoesNotMatch"],
    ["an unknown key", { accessKeyId: "AKIDNOBODY" }, "InvalidAccessKeyId"],
    ["another session", { sessionToken: "0ther-session" }, "InvalidToken"],
  ])("tell of %s, and never show the secrets", async (_, wrong, code) => {
    const error = await processed(source(FILE, wrong)).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: "CheckpointSourceError", code: "ACCESS_DENIED", details: { s3Code: code } });
    const told = everythingOf(error);
    for (const secret of [account.secretAccessKey, account.sessionToken, account.accessKeyId, ...Object.values(wrong)])
      expect(told).not.toContain(secret);
  });

  it("tell of a clock that is wrong", async () => {
    server.skewMs = 3_600_000;
    const error = await processed(source()).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "ACCESS_DENIED", suggestions: expect.arrayContaining([expect.stringContaining("clock")]) });
  });

  it("that pass are waited for", async () => {
    const usual = server.files.intercept;
    let requests = 0;
    server.files.intercept = (request, response) => {
      if (requests++ > 0) return usual?.(request, response) ?? false;
      response.writeHead(503, { "retry-after": "0" }).end("<Error><Code>SlowDown</Code></Error>");
      return true;
    };
    try {
      await expectTruth((await processed(source(FILE, { maxRetries: 1 }))).checkpoint, FILE);
    } finally {
      server.files.intercept = usual;
    }
  });

  it("of a redirect to another host are not followed: the signature and the session stay here", async () => {
    const elsewhere = await fileServer();
    const usual = server.files.intercept;
    server.files.intercept = (_, response) => Boolean(response.writeHead(307, { location: `${elsewhere.url}/models/${FILE}` }).end());
    try {
      expect(await codeOf(processed(source()))).toBe("HTTP_STATUS");
      expect(elsewhere.requests).toHaveLength(0);
    } finally {
      server.files.intercept = usual;
      await elsewhere.close();
    }
  });

  it("of an object that is replaced while it is read are noticed", async () => {
    const large = "vit-tiny.ckpt";
    server.objects.set(`models/${large}`, servedBytes(bytesOf(large)));
    const { checkpoint } = await processed(source(large));
    server.objects.set(`models/${large}`, servedBytes(bytesOf(large), { etag: '"v2"' }));
    const reads = await Promise.allSettled(checkpoint.tensors.map((tensor) => tensor.read()));
    const codes = reads.map((read) => (read.status === "rejected" ? read.reason.code : "read"));
    // What lay in the first and last bytes is here already; nothing else is read of the new version.
    expect(new Set(codes)).toEqual(new Set(["read", "SOURCE_CHANGED"]));
    await checkpoint.close();
  });
});
