import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CheckpointContext } from "@ckptkit/core/pipeline";
import { openUri } from "@ckptkit/formats";
import { nodePlatform } from "@ckptkit/node";
import { describeWithOracle, fixture } from "@ckptkit/testkit/node";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ColdStartLoader } from "../src/loading/cold-start.js";
import { WarmStartLoader } from "../src/loading/warm-start.js";
import { ReferenceModel, ReferenceOptimizer, ReferenceScheduler } from "../src/model/index.js";
import { SaveSink } from "../src/sinks/save.js";

describeWithOracle("torch and Lightning go on with what pipelines save", (oracle) => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "ckptkit-saved-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("after a warm start: the same weights, and an optimizer and a schedule that torch takes", async () => {
    const platform = nodePlatform();
    const original = fixture("vit-tiny.ckpt").path;
    const checkpoint = await openUri(platform, original);
    const model = ReferenceModel.like(checkpoint);
    const optimizer = new ReferenceOptimizer(model);
    const scheduler = new ReferenceScheduler(optimizer);
    const context = await new WarmStartLoader().process(new CheckpointContext({ checkpoint, model, optimizer, scheduler, platform }));
    const saved = join(folder, "warm.ckpt");
    await new SaveSink({ path: saved, all: true, metadata: true }).process(context);
    const answer = await oracle.run(
      `
import torch
a = torch.load(sys.argv[1], weights_only=False)
b = torch.load(sys.argv[2], weights_only=True)
parameters = [torch.nn.Parameter(t.clone()) for t in b["state_dict"].values()]
adam = torch.optim.Adam(parameters, lr=0.002, weight_decay=0.01)
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, T_max=6)
adam.load_state_dict(b["optimizer_states"][0])
schedule.load_state_dict(b["lr_schedulers"][0])
moments = all(torch.equal(adam.state[p][k], a["optimizer_states"][0]["state"][i][k])
              for i, p in enumerate(parameters) for k in ("step", "exp_avg", "exp_avg_sq"))
result = {
  "same": list(a["state_dict"]) == list(b["state_dict"]) and all(torch.equal(a["state_dict"][k], b["state_dict"][k]) for k in a["state_dict"]),
  "moments": moments, "groups": a["optimizer_states"][0]["param_groups"] == b["optimizer_states"][0]["param_groups"],
  "schedule": schedule.state_dict() == a["lr_schedulers"][0] or schedule.last_epoch, "epoch": b["epoch"], "step": b["global_step"],
  "hyper": a["hyper_parameters"] == dict(b["hyper_parameters"]), "callbacks": sorted(a["callbacks"]) == sorted(b["callbacks"]),
}`,
      { args: [original, saved] },
    );
    expect(answer).toEqual({ same: true, moments: true, groups: true, schedule: true, epoch: 5, step: 96, hyper: true, callbacks: true });
  });

  it("with supporting arrays that numpy reads out of the archive as anemoi does", async () => {
    const platform = nodePlatform();
    const checkpoint = await openUri(platform, fixture("lstm.pt").path);
    const latitudes = checkpoint.tensors.find(({ dtype, shape }) => dtype === "F32" && shape.length === 2);
    if (!latitudes) throw new Error("the fixture has no matrix");
    const saved = join(folder, "with arrays.pt");
    await new SaveSink({ path: saved, metadata: { version: "1.0" }, arrays: { latitudes } }).process(
      new CheckpointContext({ checkpoint, platform }),
    );
    const answer = await oracle.run(
      `
import json, numpy, torch, zipfile
with zipfile.ZipFile(sys.argv[2]) as archive:
  names = [name for name in archive.namelist() if name.endswith("/anemoi.json")]
  metadata = json.loads(archive.read(names[0]))
  entry = metadata["supporting_arrays_paths"]["latitudes"]
  array = numpy.frombuffer(archive.read(entry["path"]), dtype=entry["dtype"]).reshape(entry["shape"])
original = torch.load(sys.argv[1], weights_only=True)
loads = torch.load(sys.argv[2], weights_only=True)
result = {"same": bool((array == original[sys.argv[3]].numpy()).all()), "version": metadata["version"], "loads": len(loads) == len(original)}`,
      { args: [fixture("lstm.pt").path, saved, latitudes.name] },
    );
    expect(answer).toEqual({ same: true, version: "1.0", loads: true });
  });

  it("after migrations: what torch computes by itself", async () => {
    const platform = nodePlatform();
    const original = fixture("vit-tiny.ckpt").path;
    const checkpoint = await openUri(platform, original);
    const model = ReferenceModel.of(
      checkpoint.tensors
        .filter(({ group, name }) => group === "model" && name.startsWith("model.blocks.0."))
        .flatMap(({ name, dtype, shape }) => {
          const own = name.replace("model.blocks.0.", "");
          if (!own.startsWith("attn.qkv.")) return [{ name: own, dtype, shape: own === "attn.proj.weight" ? [...shape].reverse() : shape }];
          const third = [(shape[0] ?? 0) / 3, ...shape.slice(1)];
          return ["q", "k", "v"].map((part) => ({ name: own.replace("qkv", part), dtype, shape: third }));
        }),
    );
    const loader = new ColdStartLoader({
      strict: true,
      submodule: "model.blocks.0",
      migrations: [
        { split: String.raw`attn\.qkv\.(weight|bias)`, into: ["attn.q.$1", "attn.k.$1", "attn.v.$1"] },
        { transpose: "attn.proj.weight" },
      ],
    });
    const context = await loader.process(new CheckpointContext({ checkpoint, model, platform }));
    const saved = join(folder, "block.safetensors");
    await new SaveSink({ path: saved }).process(context);
    const answer = await oracle.run(
      `
import torch
from safetensors.torch import load_file
a = {k.removeprefix("model.blocks.0."): v for k, v in torch.load(sys.argv[1], weights_only=False)["state_dict"].items() if k.startswith("model.blocks.0.")}
expected = {}
for k, v in a.items():
    if k.startswith("attn.qkv."):
        for part, t in zip("qkv", v.chunk(3)): expected[k.replace("qkv", part)] = t
    else: expected[k] = v.t() if k == "attn.proj.weight" else v
b = load_file(sys.argv[2])
result = sorted(b) == sorted(expected) and all(torch.equal(b[k], expected[k]) for k in expected)`,
      { args: [original, saved] },
    );
    expect(answer).toBe(true);
    await checkpoint.close();
  });
});
