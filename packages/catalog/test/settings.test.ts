import type { ModelAdapter } from "@ckptkit/core/pipeline";
import { nodePlatform, openCheckpoint } from "@ckptkit/node";
import { ReferenceModel } from "@ckptkit/stages/model";
import { type FileServer, fileServer, fixture, readFixture, servedBytes } from "@ckptkit/testkit/node";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Catalog, checkConfig, contextFromConfig, pipelineFromConfig } from "../src/index.js";
import { recordingModel } from "../src/plan/recording-model.js";
import { refused } from "./marked.js";

const VIT = fixture("vit-tiny.ckpt").path;
let server: FileServer;
beforeAll(async () => {
  server = await fileServer();
  server.files.set("/vit.ckpt", servedBytes(await readFixture("vit-tiny.ckpt")));
});
afterAll(() => server.close());
beforeEach(() => {
  server.requests.length = 0;
  server.intercept = undefined;
});

async function run(value: object) {
  const catalog = await Catalog.load();
  const config = checkConfig(value, catalog);
  const context = await pipelineFromConfig(config, catalog).execute(await contextFromConfig(config, { platform: nodePlatform() }));
  await Promise.all([context.checkpoint, ...context.checkpoints.values()].map((checkpoint) => checkpoint?.close()));
  return context;
}

describe("settings of a pipeline", () => {
  const busy = async (value: object): Promise<number> => {
    server.intercept = (_request, response) => {
      response.writeHead(503).end();
      return true;
    };
    await expect(run(value)).rejects.toMatchObject({ details: { pipelineStage: "HttpSource" } });
    return server.requests.length;
  };
  const stage = () => ({ source: "http", url: `${server.url}/vit.ckpt` });

  it("are the defaults of the stages' options of the same names", async () => {
    expect(await busy({ maxRetries: 0, stages: [stage()] })).toBe(1);
  });

  it("give way to what a stage says itself, in either spelling", async () => {
    expect(await busy({ maxRetries: 5, stages: [{ ...stage(), maxRetries: 0 }] })).toBe(1);
    expect(await busy({ maxRetries: 5, stages: [{ ...stage(), max_retries: 0 }] })).toBe(2);
  });

  it("do not reach stages that have no such option", async () => {
    const { metadata } = await run({ maxRetries: 0, cacheDir: "/nowhere", stages: [{ source: "local", path: VIT }] });
    expect(metadata.source_type).toBe("local");
  });

  it("stand in the context for stages that look there, without the stages' own options", async () => {
    const { config } = await run({ timeout: 7, stages: [{ source: "local", path: VIT }] });
    expect(config).toEqual({ timeout: 7, continueOnError: false, asyncExecution: true });
  });
});

describe("sources that name their checkpoint", () => {
  it("put it beside the pipeline's own", async () => {
    const conv = fixture("conv-bn.pt").path;
    const context = await run({
      stages: [
        { source: "local", path: VIT },
        { source: "local", path: conv, as: "other" },
        { check: "validate", from: "other" },
      ],
    });
    expect([context.checkpoint?.uri, context.checkpointPath, context.checkpointFormat]).toEqual([VIT, VIT, "lightning"]);
    expect(context.checkpoints.get("other")?.uri).toBe(conv);
  });

  it("need a name, and only sources have one", async () => {
    const check = async (stage: object) => refused((async () => checkConfig({ stages: [stage] }, await Catalog.load()))());
    expect((await check({ source: "local", path: VIT, as: "" })).messages).toEqual([
      "stages[0].as: A name for the checkpoint was expected.",
    ]);
    expect((await check({ check: "finite", as: "x" })).messages[0]).toContain("stages[0].as: there is no such option of finite.");
  });
});

it("loads into the model that a program brings, and makes no optimizer for it", async () => {
  const catalog = await Catalog.load();
  const config = checkConfig({ stages: [{ source: "local", path: VIT }, { loader: "warm_start" }] }, catalog);
  const checkpoint = await openCheckpoint(VIT);
  const reference = ReferenceModel.like(checkpoint);
  await checkpoint.close();
  // Another class, as the adapters of frameworks are.
  const own: ModelAdapter = recordingModel(reference);
  const notices: string[] = [];
  const first = (await contextFromConfig(config, { platform: nodePlatform() })).with({ model: own });
  const context = await pipelineFromConfig(config, catalog).execute(first, {
    onEvent: (event) => event.type === "stage:notice" && notices.push(event.notice.message),
  });
  await context.checkpoint?.close();
  expect(context.model).toBe(own);
  expect(context.optimizer).toBeUndefined();
  expect(notices).toContainEqual(expect.stringContaining("has no optimizer to load it into"));
});
