import type { IncomingMessage, ServerResponse } from "node:http";
import { codeOf } from "@ckptkit/testkit";
import { type FileServer, fileServer, servedBytes } from "@ckptkit/testkit/node";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { HuggingfaceSource } from "../src/sources/huggingface.js";
import { bytesOf, everythingOf, expectTruth, processed, SHARDED, testServer } from "./source-fixtures.js";

const FILE = "st-basic.safetensors";
const TOKEN = "hf_S3cretT0ken";
const FIRST = "a".repeat(40);
const SECOND = "b".repeat(40);
const hub = testServer();
/** Where the Hub keeps large files. */
let storage: FileServer;
/** The commit that `main` stands for. */
let head: string;
/** Repositories by `models/owner/name`, commits by hash, bytes by path. */
const REPOSITORIES: Record<string, Record<string, Record<string, Uint8Array>>> = {
  "models/acme/forecaster": {
    [FIRST]: {
      "README.md": bytesOf(FILE),
      [`weights/größe 1+/${FILE}`]: bytesOf(FILE),
      ...Object.fromEntries(SHARDED.map((file) => [file, bytesOf(file)])),
    },
    [SECOND]: { [SHARDED[0] ?? ""]: bytesOf(SHARDED[0] ?? "") },
  },
  "datasets/acme/runs": { [FIRST]: { "last.safetensors": bytesOf(FILE) } },
  "models/acme/private": { [FIRST]: { [FILE]: bytesOf(FILE) } },
  "models/acme/gated": { [FIRST]: { [FILE]: bytesOf(FILE) } },
};
const NAMES: Record<string, string> = { "refs/pr/1": FIRST, "v1.0": FIRST, "feature/x": FIRST };

beforeAll(async () => {
  storage = await fileServer();
});
afterAll(() => storage.close());
beforeEach(() => {
  head = FIRST;
  hub.now.intercept = answer;
  storage.requests.length = 0;
  for (const name of ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_ENDPOINT"]) vi.stubEnv(name, undefined);
});
afterEach(() => vi.unstubAllEnvs());

/** Answers as the Hub does: what `huggingface_hub` and `@huggingface/hub` rely on. */
function answer(request: IncomingMessage, response: ServerResponse): boolean {
  const refuse = (status: number, code: string): boolean => Boolean(response.writeHead(status, { "x-error-code": code }).end());
  const path = request.url ?? "";
  const api = /^\/api\/(models|datasets)\/([^/]+\/[^/]+)\/revision\/([^/]+)$/.exec(path);
  const file = /^\/(?:(datasets)\/)?([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(path);
  const name = api ? `${api[1]}/${api[2]}` : `${file?.[1] ?? "models"}/${file?.[2]}`;
  const hasLogin = request.headers.authorization === `Bearer ${TOKEN}`;
  if (name.endsWith("private") && !hasLogin) return refuse(401, "RepoNotFound");
  if (name.endsWith("gated")) return refuse(hasLogin ? 403 : 401, "GatedRepo");
  const repository = REPOSITORIES[name];
  if (!repository) return refuse(hasLogin ? 404 : 401, "RepoNotFound");
  const revision = decodeURIComponent(api?.[3] ?? file?.[3] ?? "");
  const commit = revision === "main" ? head : (NAMES[revision] ?? revision);
  const files = repository[commit];
  if (!files) return refuse(404, "RevisionNotFound");
  if (api) {
    const siblings = Object.keys(files).map((rfilename) => ({ rfilename }));
    return Boolean(
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ id: api[2], sha: commit, siblings })),
    );
  }
  const bytes = files[decodeURIComponent(file?.[4] ?? "")];
  if (!bytes) return refuse(404, "EntryNotFound");
  const place = `/${commit}/${encodeURIComponent(Object.keys(files).indexOf(decodeURIComponent(file?.[4] ?? "")))}`;
  storage.files.set(place, servedBytes(bytes, { etag: `"${commit}"` }));
  return Boolean(response.writeHead(302, { location: `${storage.url}${place}?X-Amz-Signature=x`, "x-repo-commit": commit }).end());
}

const source = (url: string, options = {}): HuggingfaceSource =>
  new HuggingfaceSource({ url, hub: hub.now.url, maxRetries: 0, ...options });

describe("HuggingfaceSource", () => {
  it("opens a file at the commit that its branch stands for, and records it", async () => {
    const url = `hf://acme/forecaster/weights/größe 1+/${FILE}`;
    const { checkpoint, metadata, context } = await processed(source(url));
    expect(metadata).toMatchObject({ source_type: "huggingface", source_url: url, source_revision: FIRST, source_etag: `"${FIRST}"` });
    expect(context.checkpointPath).toBe(url);
    await expectTruth(checkpoint, FILE);
  });

  it("reads index and shards of one commit, whatever is pushed meanwhile", async () => {
    const usual = hub.now.intercept;
    hub.now.intercept = (request, response) => {
      const result = usual?.(request, response) ?? false;
      if (request.url?.startsWith("/api/")) head = SECOND;
      return result;
    };
    const { checkpoint } = await processed(source(`hf://acme/forecaster/${SHARDED[0]}`));
    await expectTruth(checkpoint, SHARDED[0] ?? "");
    // One question about the repository, and none for the shards.
    expect(hub.now.requests.filter(({ url }) => url?.startsWith("/api/"))).toHaveLength(1);
  });

  it.each(["@v1.0", "@refs/pr/1", "@feature%2Fx", `@${FIRST}`])("opens the revision %s", async (revision) => {
    const { checkpoint, metadata } = await processed(source(`hf://acme/forecaster${revision}/weights/größe 1+/${FILE}`));
    expect(metadata.source_revision).toBe(FIRST);
    await expectTruth(checkpoint, FILE);
  });

  it("opens files of datasets, and the revision of the options", async () => {
    const { checkpoint } = await processed(source("hf://datasets/acme/runs/last.safetensors", { revision: "v1.0" }));
    await expectTruth(checkpoint, FILE);
  });

  it("takes token and Hub from the environment, and gives the token to the Hub alone", async () => {
    vi.stubEnv("HF_TOKEN", TOKEN);
    vi.stubEnv("HF_ENDPOINT", hub.now.url);
    const { checkpoint, metadata, context } = await processed(new HuggingfaceSource(), {}, `hf://acme/private/${FILE}`);
    await expectTruth(checkpoint, FILE);
    expect(hub.now.requests.every(({ headers }) => headers.authorization === `Bearer ${TOKEN}`)).toBe(true);
    expect(storage.requests.length).toBeGreaterThan(0);
    for (const { headers, url } of storage.requests) expect(JSON.stringify([headers, url])).not.toContain(TOKEN);
    expect(JSON.stringify([metadata, String(context), checkpoint.uri])).not.toContain(TOKEN);
  });
});

describe("HuggingfaceSource: failures", () => {
  it("for a repository without a file list its checkpoints, an index first", async () => {
    const error = await processed(source("hf://acme/forecaster")).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      name: "CheckpointConfigError",
      suggestions: [`Try hf://acme/forecaster/${SHARDED[0]}`, expect.stringContaining("and 2 more")],
    });
  });

  it("for a file that is not there name similar ones", async () => {
    for (const revision of ["", `@${FIRST}`]) {
      const error = await processed(source(`hf://acme/forecaster${revision}/st-sharded.safetensor.index.json`)).catch(
        (reason: unknown) => reason,
      );
      expect(error).toMatchObject({ code: "NOT_FOUND", suggestions: expect.arrayContaining([expect.stringContaining(SHARDED[0] ?? "")]) });
    }
  });

  it("tell repositories, revisions and rights apart", async () => {
    expect(await codeOf(processed(source("hf://acme/nothing/a.ckpt")))).toBe("NOT_FOUND");
    expect(await codeOf(processed(source("hf://acme/forecaster@v9/a.ckpt")))).toBe("NOT_FOUND");
    const hidden = await processed(source(`hf://acme/private/${FILE}`)).catch((reason: unknown) => reason);
    expect(hidden).toMatchObject({ code: "NOT_FOUND", suggestions: expect.arrayContaining([expect.stringContaining("HF_TOKEN")]) });
    const gated = await processed(source(`hf://acme/gated/${FILE}`, { token: TOKEN })).catch((reason: unknown) => reason);
    expect(gated).toMatchObject({ code: "ACCESS_DENIED", suggestions: expect.arrayContaining([expect.stringContaining("access")]) });
    expect(everythingOf(gated)).not.toContain(TOKEN);
  });

  it.each(["hf://acme", "hf://", "hf://acme/a@/b.ckpt", "hf://acme/a/../b.ckpt", "https://huggingface.co/acme/a"])(
    "are told when the stage is made for %s",
    (url) => expect(() => new HuggingfaceSource({ url })).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" })),
  );
});
