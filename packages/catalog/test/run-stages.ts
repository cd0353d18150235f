import { nodePlatform } from "@ckptkit/node";
import { Catalog, checkConfig, contextFromConfig, pipelineFromConfig } from "../src/index.js";

/** Runs stages given as configuration, for what they write. */
export async function runStages(stages: readonly object[]): Promise<void> {
  const catalog = await Catalog.load();
  const config = checkConfig({ stages }, catalog);
  const context = await pipelineFromConfig(config, catalog).execute(await contextFromConfig(config, { platform: nodePlatform() }));
  await context.checkpoint?.close();
}
