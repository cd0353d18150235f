import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { ByteSink, Platform, TensorData } from "@ckptkit/core";
import { CheckpointContext, CheckpointPipeline, CheckpointSource } from "@ckptkit/core/pipeline";
import { openUri } from "@ckptkit/formats";
import { nodePlatform } from "@ckptkit/node";
import { fixture } from "@ckptkit/testkit/node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CompatibleCheck } from "../src/checks/compatible.js";
import { ValidateCheck } from "../src/checks/validate.js";
import { TransferLearningLoader } from "../src/loading/transfer-learning.js";
import { WeightsOnlyLoader } from "../src/loading/weights-only.js";
import { ReferenceModel } from "../src/model/index.js";
import { SaveSink } from "../src/sinks/save.js";
import { zerosTensor } from "../src/tensors/zeros.js";
import { checkpointOf } from "./checkpoints.js";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void; // what the flag puts into a new context

const MIB = 1024 * 1024;

/** Bytes in use after everything that nobody needs is gone. */
function inUse(): number {
  collect();
  collect();
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + external + arrayBuffers;
}

/** Opens the path of the context. */
class PathSource extends CheckpointSource {
  async process(context: CheckpointContext): Promise<CheckpointContext> {
    const checkpoint = await openUri(context.require(this.name, "platform"), context.checkpointPath ?? "");
    return context.withCheckpoint(checkpoint).withMetadata({ source_type: "path" });
  }
}

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ckptkit-stages-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("a pipeline", () => {
  it("of 1000 small checkpoints holds memory flat", async () => {
    const platform = nodePlatform();
    const pipeline = new CheckpointPipeline([
      new PathSource(),
      new ValidateCheck(),
      new CompatibleCheck({ strict: false }),
      new TransferLearningLoader({ migrations: [{ transpose: "fc.weight", axes: [0, 1] }] }),
    ]);
    const checkpointPath = fixture("conv-bn.pt").path;
    const first = await openUri(platform, checkpointPath);
    const runOnce = async (): Promise<void> => {
      const { checkpoint } = await pipeline.execute(new CheckpointContext({ checkpointPath, platform, model: ReferenceModel.like(first) }));
      await checkpoint?.close();
    };
    for (let run = 0; run < 100; run++) await runOnce();
    const before = inUse();
    for (let run = 0; run < 1000; run++) await runOnce();
    // A run that leaked its checkpoint of some 60 KB would add 60 MB.
    expect(inUse() - before).toBeLessThan(4 * MIB);
    await first.close();
  });

  it("that migrates and saves half a gigabyte needs a few megabytes", async () => {
    let written = 0;
    let peak = 0;
    const countingSink = async (name: string): Promise<ByteSink> => ({
      name,
      get position() {
        return written;
      },
      async write(bytes) {
        written += bytes.length;
        peak = Math.max(peak, process.memoryUsage().rss);
      },
      commit: async () => undefined,
      abort: async () => undefined,
    });
    const node = nodePlatform();
    const platform: Platform = { ...node, create: countingSink };
    const layers = Array.from({ length: 8 }, (_, layer): [string, TensorData] => [
      `layers.${layer}.qkv`,
      zerosTensor("F32", [3 * 2048, 2730]),
    ]);
    const checkpoint = checkpointOf(new Map(layers));
    const model = ReferenceModel.of(
      layers.flatMap(([name]) => ["q", "k", "v"].map((part) => ({ name: name.replace("qkv", part), dtype: "F32", shape: [2048, 2730] }))),
    );
    const split = String.raw`(.*)\.qkv`;
    const pipeline = new CheckpointPipeline([
      new WeightsOnlyLoader({ strict: true, migrations: [{ split, into: ["$1.q", "$1.k", "$1.v"] }] }),
      new SaveSink({ path: "out.safetensors" }),
    ]);
    await node.kernels();
    const before = process.memoryUsage().rss;
    await pipeline.execute(new CheckpointContext({ checkpoint, model, platform }));
    expect(written).toBeGreaterThan(500 * MIB);
    expect(peak - before).toBeLessThan(64 * MIB);
  });
});

describe("the sink save, on a real file system", () => {
  it("makes the folders above its path, and explains why it may not write", async () => {
    const platform = nodePlatform();
    const checkpoint = await openUri(platform, fixture("conv-bn.pt").path);
    const context = new CheckpointContext({ checkpoint, platform });
    const path = join(folder, "new", "deep", "model.safetensors");
    await new SaveSink({ path }).process(context);
    const saved = await openUri(platform, path);
    expect(saved.tensors.length).toBe(checkpoint.tensors.filter(({ group }) => group === "model").length);
    await saved.close();
    // A file stands where a folder is needed.
    await expect(new SaveSink({ path: join(path, "below.safetensors") }).process(context)).rejects.toMatchObject({
      message: expect.stringContaining("below.safetensors"),
    });
    await expect(new SaveSink({ path: folder, format: "pytorch" }).process(context)).rejects.toMatchObject({ code: "NOT_A_FILE" });
    await checkpoint.close();
  });
});
