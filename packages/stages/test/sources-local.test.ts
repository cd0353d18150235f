import { mkdirSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { CheckpointContext } from "@ckptkit/core/pipeline";
import { nodePlatform } from "@ckptkit/node";
import { codeOf } from "@ckptkit/testkit";
import { fixture } from "@ckptkit/testkit/node";
import { describe, expect, it } from "vitest";
import { HttpSource } from "../src/sources/http.js";
import { LocalSource } from "../src/sources/local.js";
import { S3Source } from "../src/sources/s3.js";
import { sourceForUri, UriSource } from "../src/sources/uri.js";
import { expectTruth, processed, SHARDED, scratchFolder, serveFixtures, testServer } from "./source-fixtures.js";

const FILE = "lightning-hparams.ckpt";
const { path } = fixture(FILE);
const folder = scratchFolder();
const server = testServer();

describe("LocalSource", () => {
  it.each([
    ["a path", path],
    ["a path from the working folder", relative(process.cwd(), path)],
    ["a file: address", String(pathToFileURL(path))],
    ["a path from the home folder", `~/${relative(homedir(), path)}`],
  ])("opens %s", async (_, given) => {
    const { checkpoint, metadata, context } = await processed(new LocalSource({ path: given }));
    expect(metadata).toMatchObject({ source_type: "local", source_path: expect.stringContaining(FILE) });
    expect(context.checkpointFormat).toBe("lightning");
    await expectTruth(checkpoint, FILE);
  });

  it("opens what the context names, and what its configuration names", async () => {
    await expectTruth((await processed(new LocalSource(), {}, path)).checkpoint, FILE);
    const context = await new LocalSource().process(new CheckpointContext({ platform: nodePlatform(), config: { checkpoint_path: path } }));
    expect(context.checkpoint?.tensors.length).toBeGreaterThan(0);
    await context.checkpoint?.close();
  });

  it("opens sharded checkpoints by their index", async () => {
    const index = fixture(SHARDED[0] ?? "");
    await expectTruth((await processed(new LocalSource({ path: index.path }))).checkpoint, index.file);
  });

  it("names up to three similar files where one is not there", async () => {
    mkdirSync(join(folder, "runs"));
    for (const name of ["last.ckpt", "last-v1.ckpt", "last-v2.ckpt", "last-v3.ckpt", "other.txt"])
      writeFileSync(join(folder, "runs", name), "");
    const error = await processed(new LocalSource({ path: join(folder, "runs", "lastt.ckpt") })).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: "CheckpointNotFoundError", suggestions: [expect.stringMatching(/last\.ckpt/)] });
    const [suggestion = ""] = (error as { suggestions: string[] }).suggestions; // checked above
    expect(suggestion.match(/\.ckpt/g)?.length).toBeLessThanOrEqual(3);
  });

  it("says that the folder is missing where it is", async () => {
    const error = await processed(new LocalSource({ path: join(folder, "none", "a.ckpt") })).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "NOT_FOUND", suggestions: [expect.stringContaining("does not exist")] });
  });

  it("does without a path or a platform only to say so", async () => {
    expect(await codeOf(processed(new LocalSource()))).toBe("CONTEXT_INCOMPLETE");
    expect(await codeOf(new LocalSource({ path }).process(new CheckpointContext()))).toBe("CONTEXT_INCOMPLETE");
  });

  it("does not take addresses for paths", () => {
    for (const uri of ["s3://a/b", "https://a/b", "hf://a/b/c", "runs:/a/b", "models:/a/1"]) expect(LocalSource.supports(uri)).toBe(false);
    for (const uri of ["a", "/a/b", "C:\\a\\b", "C:/a", "step:100.ckpt", "file:///a"]) expect(LocalSource.supports(uri)).toBe(true);
    expect(() => new LocalSource({ path: "s3://a/b" })).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
  });
});

describe("UriSource", () => {
  it.each([
    ["model.ckpt", "LocalSource"],
    ["file:///model.ckpt", "LocalSource"],
    ["https://example.org/model.ckpt", "HttpSource"],
    ["s3://bucket/model.ckpt", "S3Source"],
    ["hf://owner/name/model.ckpt", "HuggingfaceSource"],
    ["runs:/0123/model.ckpt", "MlflowSource"],
    ["models:/name@alias/model.ckpt", "MlflowSource"],
  ])("takes %s to %s", (uri, name) => {
    expect(sourceForUri(uri).name).toBe(name);
  });

  it("hands options on to the source that was chosen, which checks them", () => {
    expect(sourceForUri("s3://bucket/key", { region: "eu-west-1" })).toMatchObject({ options: { region: "eu-west-1" } });
    expect(new UriSource({ uri: "s3://bucket/key", options: { region: "eu-west-1" } })).toBeInstanceOf(UriSource);
    expect(() => new UriSource({ uri: "s3://bucket/key", options: { nonsense: 1 } })).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT" }),
    );
    expect(S3Source.supports("s3://a/b") && HttpSource.supports("https://a/b")).toBe(true);
  });

  it("says which addresses there are for one of another kind", () => {
    expect(() => new UriSource({ uri: "gs://bucket/key" })).toThrow(
      expect.objectContaining({ code: "UNSUPPORTED_URI", suggestions: [expect.stringContaining("storage.googleapis.com")] }),
    );
  });

  it("opens paths and addresses, among the options and in the context", async () => {
    serveFixtures(server.now, "", FILE);
    await expectTruth((await processed(new UriSource({ uri: path }))).checkpoint, FILE);
    const { checkpoint, metadata } = await processed(new UriSource({ options: { maxRetries: 0 } }), {}, `${server.now.url}/${FILE}`);
    expect(metadata.source_type).toBe("http");
    await expectTruth(checkpoint, FILE);
  });
});
