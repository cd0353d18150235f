import { createHash } from "node:crypto";
import { CheckpointContext } from "@ckptkit/core/pipeline";
import { openUri } from "@ckptkit/formats";
import { nodePlatform } from "@ckptkit/node";
import { s3Sink } from "@ckptkit/remote";
import { fixture } from "@ckptkit/testkit/node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SaveSink } from "../src/sinks/save.js";
import { type MotoServer, motoCommand, motoServer } from "./moto-server.js";

const MIB = 1024 * 1024;

describe.skipIf(!motoCommand)("writing to S3, on a server that checks signatures as the AWS SDK does", () => {
  let moto: MotoServer;
  beforeAll(async () => {
    moto = await motoServer(motoCommand ?? "");
    await moto.put("models", "old.bin", new Uint8Array([1, 2, 3]));
  }, 60_000);
  afterAll(() => moto?.close());
  const s3 = () => ({ endpoint: moto.endpoint, credentials: moto.account, retry: false as const });

  const digestOf = async (uri: string): Promise<string> => {
    const source = await nodePlatform({ remote: { s3: s3() } }).open(uri);
    return createHash("sha256")
      .update(await source.read(0, source.size))
      .digest("hex");
  };

  it("sends a large object part by part, and shows it only when it is whole", async () => {
    const sink = s3Sink("s3://models/new/large.bin", {}, { ...s3(), partBytes: 5 * MIB });
    const hash = createHash("sha256");
    for (let round = 0; round < 13; round++) {
      const bytes = new Uint8Array(MIB).fill(round);
      hash.update(bytes);
      await sink.write(bytes);
    }
    await expect(nodePlatform({ remote: { s3: s3() } }).open("s3://models/new/large.bin")).rejects.toMatchObject({ code: "NOT_FOUND" });
    await sink.commit();
    expect(sink.position).toBe(13 * MIB);
    expect(await digestOf("s3://models/new/large.bin")).toBe(hash.digest("hex"));
  });

  it("leaves nothing behind when it is aborted, and what was there as it was", async () => {
    const sink = s3Sink("s3://models/old.bin", {}, { ...s3(), partBytes: 5 * MIB });
    await sink.write(new Uint8Array(6 * MIB));
    await sink.abort();
    await expect(sink.commit()).rejects.toMatchObject({ code: "WRITE_FAILED" });
    expect(await digestOf("s3://models/old.bin")).toBe(
      createHash("sha256")
        .update(new Uint8Array([1, 2, 3]))
        .digest("hex"),
    );
  });

  it("saves a checkpoint of a pipeline, which opens again with the same weights", async () => {
    const platform = nodePlatform({ remote: { s3: s3() } });
    const checkpoint = await openUri(platform, fixture("lstm.pt").path);
    await new SaveSink({ path: "s3://models/run 7/lstm.safetensors" }).process(new CheckpointContext({ checkpoint, platform }));
    const written = await openUri(platform, "s3://models/run 7/lstm.safetensors");
    const byName = new Map(checkpoint.tensors.map((tensor) => [tensor.name, tensor]));
    expect(written.tensors.length).toBeGreaterThan(0);
    for (const tensor of written.tensors) expect(await tensor.read()).toEqual(await byName.get(tensor.name)?.read());
  });

  it("says what right is missing, and never the credentials", async () => {
    const credentials = { accessKeyId: moto.account.accessKeyId, secretAccessKey: "not-the-secret" };
    const sink = s3Sink("s3://models/denied.bin", {}, { ...s3(), credentials });
    await sink.write(new Uint8Array(3));
    const error = await sink.commit().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "ACCESS_DENIED", message: expect.stringContaining("may not be written") });
    expect(JSON.stringify(error)).not.toContain("not-the-secret");
  });
});
