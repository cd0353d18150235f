import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { codeOf } from "@ckptkit/testkit";
import { fileServer, fixture, servedBytes } from "@ckptkit/testkit/node";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MlflowSource } from "../src/sources/mlflow.js";
import { type S3Server, s3Server } from "./s3-server.js";
import { bytesOf, everythingOf, expectTruth, processed, SHARDED, scratchFolder, testServer } from "./source-fixtures.js";

const FILE = "st-basic.safetensors";
const TOKEN = "mlfl0w-t0ken";
const RUN = "0123456789abcdef0123456789abcdef";
const MODEL_ID = `m-${"c".repeat(32)}`;
const server = testServer();
const downloads = { folder: join(scratchFolder(), "copies") };
/** Root of the artifacts, by run, by version and by logged model. */
let roots: Record<string, string>;
/** Files behind the proxy, by path. */
let proxied: Record<string, Uint8Array>;

beforeEach(() => {
  proxied = { "1/run/artifacts/model/a+b 1/weights.safetensors": bytesOf(FILE) };
  for (const file of SHARDED) proxied[`1/run/artifacts/sharded/${file}`] = bytesOf(file);
  roots = {
    [RUN]: "mlflow-artifacts:/1/run/artifacts",
    "7": "mlflow-artifacts:/1/run/artifacts/model",
    "8": `models:/${MODEL_ID}`,
    [MODEL_ID]: "mlflow-artifacts:/1/run/artifacts",
  };
  server.now.intercept = answer;
  for (const name of Object.keys(process.env)) if (/^(MLFLOW|AWS)_/.test(name)) vi.stubEnv(name, undefined);
});
afterEach(() => vi.unstubAllEnvs());

/** Answers as a tracking server of MLflow 3 does. */
function answer(request: IncomingMessage, response: ServerResponse): boolean {
  const url = new URL(request.url ?? "/", "http://localhost");
  const json = (body: unknown, status = 200): boolean =>
    Boolean(response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body)));
  const absent = (): boolean =>
    json({ error_code: "RESOURCE_DOES_NOT_EXIST", message: `No such thing, ${request.headers.authorization}` }, 404);
  const parameter = (name: string): string => url.searchParams.get(name) ?? "";
  const path = decodeURIComponent(url.pathname).replace("/api/2.0/", "");
  if (path.startsWith("mlflow-artifacts/artifacts/"))
    return sendArtifact(response, path.slice("mlflow-artifacts/artifacts/".length)) || absent();
  switch (path) {
    case "mlflow/runs/get":
      return roots[parameter("run_id")] ? json({ run: { info: { run_id: RUN, artifact_uri: roots[parameter("run_id")] } } }) : absent();
    case "mlflow/artifacts/list":
      return json({ root_uri: roots[RUN], files: list("1/run/artifacts", parameter("path"), true) });
    case "mlflow-artifacts/artifacts":
      return json({ files: list("", parameter("path"), false) });
    case "mlflow/registered-models/alias":
      return parameter("name") === "fore caster" && parameter("alias") === "champion"
        ? json({ model_version: { name: "fore caster", version: "7" } })
        : absent();
    case "mlflow/registered-models/get-latest-versions": {
      const versions = [
        { version: "7", current_stage: "Production" },
        { version: "8", current_stage: "None" },
      ];
      const stage = url.searchParams.get("stages");
      return json({ model_versions: versions.filter(({ current_stage }) => stage === null || current_stage === stage) });
    }
    case "mlflow/model-versions/get-download-uri":
      return roots[parameter("version")] ? json({ artifact_uri: roots[parameter("version")] }) : absent();
    case `mlflow/logged-models/${MODEL_ID}`:
      return json({ model: { info: { model_id: MODEL_ID, artifact_uri: roots[MODEL_ID] } } });
    default:
      return absent();
  }
}

/** The proxy: ignores Range, tells no length and no version. */
function sendArtifact(response: ServerResponse, path: string): boolean {
  const bytes = proxied[path];
  if (!bytes) return false;
  response.writeHead(200, { "content-type": "application/octet-stream" });
  response.write(bytes.subarray(0, 100));
  return Boolean(response.end(bytes.subarray(100)));
}

/** One folder: paths below the run's root for the one interface, below the folder for the other. */
function list(root: string, folder: string, fromRoot: boolean): unknown[] {
  const prefix = [root, folder].filter(Boolean).join("/").concat("/");
  const inside = Object.entries(proxied).filter(([path]) => path.startsWith(prefix));
  const names = [...new Set(inside.map(([path]) => path.slice(prefix.length).split("/")[0] ?? ""))];
  return names.map((name) => {
    const bytes = proxied[prefix + name];
    const path = fromRoot && folder !== "" ? `${folder}/${name}` : name;
    return bytes ? { path, is_dir: false, file_size: String(bytes.length) } : { path, is_dir: true };
  });
}

const source = (uri: string, options = {}): MlflowSource =>
  new MlflowSource({ uri, trackingUri: server.now.url, maxRetries: 0, ...options });
const opened = (uri: string, options = {}) => processed(source(uri, options), { downloads });

describe("MlflowSource", () => {
  it.each([
    [`runs:/${RUN}/model/a+b 1/weights.safetensors`, RUN, `runs:/${RUN}/model/a+b 1/weights.safetensors`],
    ["models:/fore caster/7/a+b 1/weights.safetensors", "7", "models:/fore%20caster/7/a+b 1/weights.safetensors"],
    ["models:/fore caster@champion/a+b 1/weights.safetensors", "7", "models:/fore%20caster/7/a+b 1/weights.safetensors"],
    ["models:/fore caster/Production/a+b 1/weights.safetensors", "7", "models:/fore%20caster/7/a+b 1/weights.safetensors"],
    ["models:/fore caster/latest/model/a+b 1/weights.safetensors", "8", "models:/fore%20caster/8/model/a+b 1/weights.safetensors"],
    [`models:/${MODEL_ID}/model/a+b 1/weights.safetensors`, MODEL_ID, `models:/${MODEL_ID}/model/a+b 1/weights.safetensors`],
  ])("opens %s through the server's proxy, and records its version", async (uri, revision, name) => {
    const { checkpoint, metadata } = await opened(uri);
    expect(metadata).toMatchObject({ source_type: "mlflow", source_url: name, source_revision: revision });
    await expectTruth(checkpoint, FILE);
  });

  it("opens an artifact by its place behind the proxy", async () => {
    await expectTruth((await opened("mlflow-artifacts:/1/run/artifacts/model/a+b 1/weights.safetensors")).checkpoint, FILE);
  });

  it("opens sharded checkpoints", async () => {
    await expectTruth((await opened(`runs:/${RUN}/sharded/${SHARDED[0]}`)).checkpoint, SHARDED[0] ?? "");
  });

  it("opens artifacts that are kept on this machine", async () => {
    for (const root of [join(fixture(FILE).path, ".."), `file://${join(fixture(FILE).path, "..")}`]) {
      roots["7"] = root;
      await expectTruth((await opened(`models:/any/7/${FILE}`)).checkpoint, FILE);
    }
  });

  it("opens artifacts on a web server, which gets no token of MLflow's", async () => {
    const store = await fileServer();
    store.files.set(`/store/${FILE}`, servedBytes(bytesOf(FILE)));
    roots["7"] = `${store.url}/store`;
    try {
      await expectTruth((await opened(`models:/any/7/${FILE}`, { token: TOKEN })).checkpoint, FILE);
      for (const { headers } of store.requests) expect(headers.authorization).toBeUndefined();
    } finally {
      await store.close();
    }
  });

  it("opens artifacts in S3, at MLflow's endpoint", async () => {
    const account = { accessKeyId: "AKIDMLFLOW", secretAccessKey: "s3cret" };
    const s3: S3Server = await s3Server(account, "us-east-1");
    try {
      s3.objects.set(`store/1/run/artifacts/${FILE}`, servedBytes(bytesOf(FILE)));
      roots["7"] = "s3://store/1/run/artifacts";
      vi.stubEnv("MLFLOW_S3_ENDPOINT_URL", s3.endpoint);
      vi.stubEnv("AWS_ACCESS_KEY_ID", account.accessKeyId);
      vi.stubEnv("AWS_SECRET_ACCESS_KEY", account.secretAccessKey);
      const { checkpoint, metadata } = await opened(`models:/any/7/${FILE}`, { token: TOKEN });
      expect(metadata).toMatchObject({ source_url: `models:/any/7/${FILE}`, source_etag: '"v1"' });
      await expectTruth(checkpoint, FILE);
    } finally {
      await s3.close();
    }
  });

  it.each([
    ["a token", { MLFLOW_TRACKING_TOKEN: TOKEN }, `Bearer ${TOKEN}`],
    [
      "a user",
      { MLFLOW_TRACKING_USERNAME: "ann", MLFLOW_TRACKING_PASSWORD: "pä55" },
      `Basic ${Buffer.from("ann:pä55").toString("base64")}`,
    ],
  ])("takes server and %s from the environment", async (_, environment, expected) => {
    vi.stubEnv("MLFLOW_TRACKING_URI", `${server.now.url}/`);
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
    const { checkpoint, metadata, context } = await processed(
      new MlflowSource(),
      { downloads },
      `runs:/${RUN}/model/a+b 1/weights.safetensors`,
    );
    await expectTruth(checkpoint, FILE);
    expect(new Set(server.now.requests.map(({ headers }) => headers.authorization))).toEqual(new Set([expected]));
    expect(JSON.stringify([metadata, String(context)])).not.toMatch(/mlfl0w-t0ken|pä55/);
  });
});

describe("MlflowSource: failures", () => {
  it("name runs, models, versions and aliases that are not there, and show no credentials", async () => {
    for (const uri of ["runs:/none/a.ckpt", "models:/any/99/a.ckpt", "models:/any@nobody/a.ckpt", "models:/any/Archived/a.ckpt"]) {
      const error = await opened(uri, { token: TOKEN }).catch((reason: unknown) => reason);
      expect(error, uri).toMatchObject({ name: "CheckpointNotFoundError" });
      expect(everythingOf(error)).not.toContain(TOKEN);
    }
  });

  it("name similar artifacts where one is not there", async () => {
    const error = await opened(`runs:/${RUN}/sharded/st-sharded-00001.safetensors`).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "NOT_FOUND", suggestions: [expect.stringContaining("st-sharded-")] });
  });

  it("for a folder list the files in it", async () => {
    for (const uri of [`runs:/${RUN}`, `runs:/${RUN}/model`, "models:/any/7", "models:/any/7/a+b 1"]) {
      const error = await opened(uri).catch((reason: unknown) => reason);
      expect(error, uri).toMatchObject({
        code: "INVALID_ARGUMENT",
        suggestions: expect.arrayContaining([expect.stringContaining("Try ")]),
      });
    }
  });

  it("tell of an artifact that comes shorter than the server said", async () => {
    const path = "1/run/artifacts/model/a+b 1/weights.safetensors";
    const whole = bytesOf(FILE);
    server.now.intercept = (request, response) => {
      const isFile = request.url?.startsWith("/api/2.0/mlflow-artifacts/artifacts/");
      proxied[path] = isFile ? whole.subarray(0, 5000) : whole;
      return answer(request, response);
    };
    expect(await codeOf(opened(`runs:/${RUN}/model/a+b 1/weights.safetensors`))).toBe("READ_FAILED");
  });

  it("tell of stores that are not read, of rights, and of a server that is none", async () => {
    roots["7"] = "gs://bucket/artifacts";
    expect(await codeOf(opened("models:/any/7/a.ckpt"))).toBe("UNSUPPORTED_URI");
    server.now.intercept = (_, response) => Boolean(response.writeHead(403).end(JSON.stringify({ error_code: "PERMISSION_DENIED" })));
    expect(await codeOf(opened("models:/any/7/a.ckpt"))).toBe("ACCESS_DENIED");
    server.now.intercept = (_, response) => Boolean(response.writeHead(200).end("<html>Log in</html>"));
    expect(await codeOf(opened("models:/any/7/a.ckpt"))).toBe("HTTP_ANSWER");
    roots["8"] = "models:/any/8";
    server.now.intercept = answer;
    expect(await codeOf(opened("models:/any/8/a.ckpt"))).toBe("HTTP_ANSWER");
  });

  it("tell that no server is named", async () => {
    for (const trackingUri of [undefined, "sqlite:///mlflow.db"]) {
      vi.stubEnv("MLFLOW_TRACKING_URI", trackingUri);
      const error = await processed(new MlflowSource({ uri: `runs:/${RUN}/a` })).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: "INVALID_ARGUMENT", suggestions: [expect.stringContaining("MLFLOW_TRACKING_URI")] });
    }
  });

  it.each(["runs:/", "models:/", "models:/only-name", "runs:/a/../b", "s3://bucket/key"])("are told when the stage is made for %s", (uri) =>
    expect(() => new MlflowSource({ uri })).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" })),
  );
});
