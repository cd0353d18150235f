import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Checkpoint } from "@ckptkit/core";
import type { CheckpointContext, PipelineEvent } from "@ckptkit/core/pipeline";
import { nodePlatform, openCheckpoint } from "@ckptkit/node";
import { fixture } from "@ckptkit/testkit/node";
import { afterAll, onTestFinished } from "vitest";
import {
  Catalog,
  contextFromConfig,
  loadConfig,
  type PipelineConfig,
  type PipelinePlan,
  parseOverride,
  pipelineFromConfig,
  planPipeline,
} from "../src/index.js";

export const TEMPLATES = fileURLToPath(new URL("../templates/", import.meta.url));

/** Variables of the environment, and values that the command line sets. */
export interface Inputs {
  env?: Readonly<Record<string, string>>;
  set?: readonly string[];
}

/** A folder that is removed when the test file has run. */
export function scratch(): (name: string) => string {
  const folder = mkdtempSync(join(tmpdir(), "ckptkit-catalog-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return (name) => join(folder, name);
}

/** Reads a pipeline file as the command does. */
export async function readConfig(path: string, { env = {}, set = [] }: Inputs): Promise<{ config: PipelineConfig; catalog: Catalog }> {
  const catalog = await Catalog.load();
  const file = { text: await readFile(path, "utf8"), file: path };
  const config = await loadConfig(file, catalog, { environment: (name) => env[name], overrides: set.map(parseOverride) });
  return { config, catalog };
}

/** Runs a template to its end. */
export async function runTemplate(name: string, inputs: Inputs): Promise<{ context: CheckpointContext; events: PipelineEvent[] }> {
  const { config, catalog } = await readConfig(join(TEMPLATES, `${name}.yaml`), inputs);
  const events: PipelineEvent[] = [];
  const open = new Set<Checkpoint>();
  onTestFinished(async () => {
    for (const checkpoint of open) await checkpoint.close();
  });
  const pipeline = pipelineFromConfig(config, catalog, {
    onContext: ({ checkpoint, checkpoints }) => {
      for (const opened of [...(checkpoint ? [checkpoint] : []), ...checkpoints.values()]) open.add(opened);
    },
  });
  const first = await contextFromConfig(config, { platform: nodePlatform() });
  const context = await pipeline.execute(first, { onEvent: (event) => events.push(event) });
  return { context, events };
}

/** Plans a template. */
export async function planTemplate(name: string, inputs: Inputs): Promise<PipelinePlan> {
  const { config, catalog } = await readConfig(join(TEMPLATES, `${name}.yaml`), inputs);
  return planPipeline(config, catalog, { platform: nodePlatform() });
}

/** Tensors of a file: dtype, shape and values. */
export async function floatsOf(path: string): Promise<Map<string, { dtype: string; shape: readonly number[]; values: number[] }>> {
  const checkpoint = await openCheckpoint(path);
  try {
    const entries = checkpoint.tensors.map(async (tensor) => {
      const bytes = new Uint8Array(tensor.byteLength);
      await tensor.readInto(bytes);
      const values = tensor.dtype === "F32" ? [...new Float32Array(bytes.buffer)] : [...new Int8Array(bytes.buffer)];
      return [tensor.name, { dtype: tensor.dtype, shape: tensor.shape, values }] as const;
    });
    return new Map(await Promise.all(entries));
  } finally {
    await checkpoint.close();
  }
}

/** SHA-256 of every tensor of a group by its name: of a file, and as PyTorch told of a fixture. */
export async function digestsOf(path: string, group = "model"): Promise<Map<string, string>> {
  const checkpoint = await openCheckpoint(path);
  try {
    const digests = new Map<string, string>();
    for (const tensor of checkpoint.tensors.filter((each) => each.group === group)) {
      const bytes = new Uint8Array(tensor.byteLength);
      await tensor.readInto(bytes);
      digests.set(tensor.name, createHash("sha256").update(bytes).digest("hex"));
    }
    return digests;
  } finally {
    await checkpoint.close();
  }
}

export function trueDigests(file: string, group = "model"): Map<string, string | undefined> {
  const tensors = fixture(file).truth.tensors.filter((tensor) => tensor.group === group);
  return new Map(tensors.map(({ name = "", path, sha256 }) => [name || path, sha256]));
}
