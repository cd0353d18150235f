import { createHash } from "node:crypto";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { HttpSource } from "../src/sources/http.js";
import { S3Source } from "../src/sources/s3.js";
import { type MotoServer, motoCommand, motoServer } from "./moto-server.js";
import { bytesOf, everythingOf, expectTruth, processed, SHARDED, scratchFolder } from "./source-fixtures.js";

const FILE = "vit-tiny.ckpt";
const folder = scratchFolder();

describe.skipIf(!motoCommand)("S3Source with moto, which checks signatures as the AWS SDK does", () => {
  let moto: MotoServer;
  beforeAll(async () => {
    moto = await motoServer(motoCommand ?? "");
    for (const file of [FILE, ...SHARDED]) await moto.put("models", `run-7/${file}`, bytesOf(file));
  });
  afterAll(() => moto?.close());

  const source = (key: string, options: ConstructorParameters<typeof S3Source>[0] = {}): S3Source =>
    new S3Source({ url: `s3://models/${key}`, endpoint: moto.endpoint, region: "us-east-1", maxRetries: 0, ...moto.account, ...options });

  it("opens an object and reads its tensors", async () => {
    const { checkpoint, metadata } = await processed(source(`run-7/${FILE}`));
    const md5 = createHash("md5").update(bytesOf(FILE)).digest("hex");
    expect(metadata).toMatchObject({ s3_bucket: "models", s3_key: `run-7/${FILE}`, source_etag: `"${md5}"` });
    await expectTruth(checkpoint, FILE);
  });

  it("opens a sharded checkpoint", async () => {
    await expectTruth((await processed(source(`run-7/${SHARDED[0]}`))).checkpoint, SHARDED[0] ?? "");
  });

  it("downloads with a checksum", async () => {
    const expectedChecksum = createHash("sha256").update(bytesOf(FILE)).digest("hex");
    const { checkpoint } = await processed(source(`run-7/${FILE}`, { expectedChecksum }), {
      downloads: { folder: join(folder, "copies") },
    });
    await expectTruth(checkpoint, FILE);
  });

  it("tells what is not there, and what may not be read", async () => {
    const failure = (stage: S3Source | HttpSource): Promise<unknown> => processed(stage).catch((reason: unknown) => reason);
    expect(await failure(source("absent.ckpt"))).toMatchObject({ code: "NOT_FOUND", details: { s3Code: "NoSuchKey" } });
    expect(await failure(source("", { url: "s3://no-bucket/a" }))).toMatchObject({
      code: "NOT_FOUND",
      details: { s3Code: "NoSuchBucket" },
    });
    const secretAccessKey = moto.account.secretAccessKey.replace(/.$/, (letter) => (letter === "a" ? "b" : "a"));
    const refused = await failure(source(`run-7/${FILE}`, { secretAccessKey }));
    expect(refused).toMatchObject({ code: "ACCESS_DENIED", details: { s3Code: "SignatureDoesNotMatch" } });
    expect(everythingOf(refused)).not.toContain(secretAccessKey);
    expect(await failure(source(`run-7/${FILE}`, { accessKeyId: "AKIDNOBODY" }))).toMatchObject({ code: "ACCESS_DENIED" });
  });
});
