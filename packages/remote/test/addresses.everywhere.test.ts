import { describe, expect, it } from "vitest";
import {
  isHttpAddress,
  isHuggingFaceAddress,
  isMlflowAddress,
  isRemoteAddress,
  isS3Address,
  parseHuggingFaceAddress,
  parseMlflowAddress,
  parseS3Address,
} from "../src/index.js";

const COMMIT = "0123456789abcdef0123456789abcdef01234567";

describe("addresses of S3", () => {
  it.each([
    ["s3://models/last.ckpt", { bucket: "models", key: "last.ckpt" }],
    ["S3://models/a/b/last.ckpt", { bucket: "models", key: "a/b/last.ckpt" }],
    ["s3a://my.models-1/a", { bucket: "my.models-1", key: "a" }],
    // The key is literal: what looks encoded is not decoded, and a question mark is a letter.
    ["s3://models/100%25 + a?b#c.ckpt", { bucket: "models", key: "100%25 + a?b#c.ckpt" }],
    ["s3://models/a//b/", undefined],
    [
      "s3://models/a.ckpt?versionId=3/L4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY",
      { bucket: "models", key: "a.ckpt", versionId: "3/L4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY" },
    ],
    ["s3://models/a.ckpt?versionId=L4kqtJlc", { bucket: "models", key: "a.ckpt", versionId: "L4kqtJlc" }],
    ["s3://models/line\nbreak", { bucket: "models", key: "line\nbreak" }],
    ["s3://models", undefined],
    ["s3:///key", undefined],
    ["s3://a/key", undefined],
    ["s3://-models/key", undefined],
    ["s3://mo..dels/key", undefined],
    ["s3://user:pass@models/key", undefined],
    ["s3://models/./key", undefined],
    ["s3://models/a/..", undefined],
  ])("%s", (uri, expected) => {
    if (expected) expect(parseS3Address(uri)).toEqual(expected);
    else expect(() => parseS3Address(uri)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
  });
});

describe("addresses of the Hugging Face Hub", () => {
  it.each([
    ["hf://o/n/a.ckpt", { type: "model", repository: "o/n", revision: undefined, path: "a.ckpt" }],
    ["hf://models/o/n/a.ckpt", { type: "model", repository: "o/n", revision: undefined, path: "a.ckpt" }],
    ["hf://datasets/o/n/a/b.ckpt", { type: "dataset", repository: "o/n", revision: undefined, path: "a/b.ckpt" }],
    ["hf://spaces/o/n@v1/a", { type: "space", repository: "o/n", revision: "v1", path: "a" }],
    ["hf://o/n", { type: "model", repository: "o/n", revision: undefined, path: undefined }],
    ["hf://o/n/", { type: "model", repository: "o/n", revision: undefined, path: undefined }],
    [`hf://o/n@${COMMIT}/a@b.ckpt`, { type: "model", repository: "o/n", revision: COMMIT, path: "a@b.ckpt" }],
    ["hf://o/n@refs/pr/12/a/b", { type: "model", repository: "o/n", revision: "refs/pr/12", path: "a/b" }],
    ["hf://o/n@refs/convert/parquet/a", { type: "model", repository: "o/n", revision: "refs/convert/parquet", path: "a" }],
    ["hf://o/n@feature%2Fx/a", { type: "model", repository: "o/n", revision: "feature/x", path: "a" }],
    ["hf://o/n@v1", { type: "model", repository: "o/n", revision: "v1", path: undefined }],
    ["hf://o", undefined],
    ["hf://../n/a", undefined],
    ["hf://o/n@/a", undefined],
    ["hf://o/n@%zz/a", undefined],
    ["hf://o/n/../a", undefined],
    ["hf://token@o/n/a", undefined],
  ])("%s", (uri, expected) => {
    if (expected) expect(parseHuggingFaceAddress(uri)).toEqual(expected);
    else expect(() => parseHuggingFaceAddress(uri)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
  });
});

describe("addresses of MLflow", () => {
  const model = `m-${"0".repeat(32)}`;
  it.each([
    ["runs:/abc/model/a.ckpt", { kind: "run", runId: "abc", path: "model/a.ckpt" }],
    ["runs:/abc", { kind: "run", runId: "abc", path: "" }],
    ["models:/name/3/a.ckpt", { kind: "model", model: "name", version: "3", path: "a.ckpt" }],
    ["models:/a%2Fb c/3", { kind: "model", model: "a/b c", version: "3", path: "" }],
    ["models:/name@champion/a/b", { kind: "alias", model: "name", alias: "champion", path: "a/b" }],
    ["models:/name/latest/a", { kind: "stage", model: "name", stage: "latest", path: "a" }],
    ["models:/name/Production", { kind: "stage", model: "name", stage: "Production", path: "" }],
    [`models:/${model}/a`, { kind: "logged-model", modelId: model, path: "a" }],
    ["mlflow-artifacts:/1/2/a", { kind: "artifact", uri: "mlflow-artifacts:/1/2/a", path: "" }],
    ["runs:/", undefined],
    ["models:/name", undefined],
    ["models:/name/3/../4", undefined],
  ])("%s", (uri, expected) => {
    if (expected) expect(parseMlflowAddress(uri)).toEqual(expected);
    else expect(() => parseMlflowAddress(uri)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
  });
});

it("addresses are told apart, and paths are none", () => {
  const kinds = { isHttpAddress, isS3Address, isHuggingFaceAddress, isMlflowAddress };
  const kindOf = (uri: string): string[] => Object.entries(kinds).flatMap(([name, is]) => (is(uri) ? [name] : []));
  expect(kindOf("https://a/b")).toEqual(["isHttpAddress"]);
  expect(kindOf("s3://a/b")).toEqual(["isS3Address"]);
  expect(kindOf("hf://a/b")).toEqual(["isHuggingFaceAddress"]);
  expect(kindOf("models:/a/1")).toEqual(["isMlflowAddress"]);
  for (const path of ["a.ckpt", "/a/b", "C:/models/a", "runs/1/a", "step:1.ckpt", "file:///a", "gs://a/b"])
    expect(isRemoteAddress(path)).toBe(false);
});
