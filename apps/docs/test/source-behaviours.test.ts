import { HttpSource, S3Source } from "@ckptkit/stages/sources";
import { describe, expect, it } from "vitest";

const url = "https://example.org/model.ckpt";

describe("sources", () => {
  it("refuses a wrong address when it is made", () => {
    const refused = expect.objectContaining({ name: "CheckpointConfigError", code: "INVALID_ARGUMENT" });
    expect(() => new HttpSource({ url: "ftp://example.org/a.ckpt" })).toThrow(refused);
    expect(() => new HttpSource({ url: "https://" })).toThrow(refused);
    expect(() => new S3Source({ url })).toThrow(refused);
    expect(() => new S3Source({ url: "s3://bucket-without-key" })).toThrow(refused);
  });

  it("has 3 retries and 300 seconds, and the names of Python", () => {
    expect(new HttpSource({ url }).options).toMatchObject({ maxRetries: 3, timeout: 300 });
    const python: object = { url, max_retries: 5, timeout: 60, expected_checksum: "00".repeat(32) };
    expect(new HttpSource(python).options).toMatchObject({ maxRetries: 5, timeout: 60, expectedChecksum: "00".repeat(32) });
  });
});
