import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { convertCheckpoint } from "@ckptkit/inspect";
import { fileSink, openCheckpoint } from "@ckptkit/node";
import { describeWithOracle, fixture, fixtures } from "@ckptkit/testkit/node";
import { loadKernels } from "@ckptkit/wasm";
import { afterAll, beforeAll, expect, it } from "vitest";

/** Digests of the tensors of a torch or safetensors file, by path, as real PyTorch loads them. */
const DIGESTS = `
import hashlib, torch, safetensors.torch
def sha(t):
    t = t.detach()
    t = t.int_repr() if t.is_quantized else t.resolve_conj().resolve_neg()
    return hashlib.sha256(t.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes() if t.numel() else b"").hexdigest()
def walk(v, path=()):
    if isinstance(v, torch.Tensor):
        yield ".".join(path), v
    elif isinstance(v, dict):
        for k, x in v.items(): yield from walk(x, (*path, str(k)))
    elif isinstance(v, (list, tuple)):
        for i, x in enumerate(v): yield from walk(x, (*path, str(i)))
def load(file):
    return safetensors.torch.load_file(file) if file.endswith(".safetensors") else torch.load(file, weights_only=True)
`;

const TARGETS = ["safetensors", "state_dict", "pytorch", "lightning"] as const;
const SUFFIX = { safetensors: ".safetensors", state_dict: ".pt", pytorch: ".pth", lightning: ".ckpt" } as const;
/** Where each target puts the model's weights. */
const PREFIX = { safetensors: "", state_dict: "", pytorch: "model_state_dict.", lightning: "state_dict." } as const;

describeWithOracle("real PyTorch and safetensors", (oracle) => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "ckptkit-oracle-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function convert(
    file: string,
    to: (typeof TARGETS)[number],
    options: { all?: boolean; dtype?: "F16" | "BF16" | "F32" } = {},
  ): Promise<string> {
    const checkpoint = await openCheckpoint(fixture(file).path);
    const out = join(folder, `${file}-${options.dtype ?? ""}${options.all ? "all" : ""}-${to}${SUFFIX[to]}`);
    await convertCheckpoint(checkpoint, (name) => fileSink(join(folder, name)), {
      kernels: await loadKernels(),
      fileName: basename(out),
      to,
      ...options,
    });
    await checkpoint.close();
    return out;
  }

  it("open every file that we write, with the bytes that torch reads from the original", async () => {
    const plain = fixtures().filter(
      ({ truth, bytesWritten }) =>
        bytesWritten !== false &&
        truth.tensors.some(({ group }) => group === "model") &&
        truth.tensors.every(({ sha256 }) => sha256 !== undefined),
    );
    const written: { file: string; fixture: string; prefix: string }[] = [];
    for (const { file, truth } of plain) {
      for (const to of TARGETS) {
        const safe = truth.tensors.every(({ dtype, name }) => !/^(C32|C128|Q.*)$/.test(dtype) && name?.isWellFormed() !== false);
        const sixBits = truth.tensors.some(({ dtype }) => dtype.startsWith("F6")); // torch has no such dtype, for either format
        if (sixBits || (to === "safetensors" && !safe)) continue;
        written.push({ file: await convert(file, to), fixture: file, prefix: PREFIX[to] });
      }
    }
    const found = (await oracle.run(`${DIGESTS}\nresult = [{k: sha(t) for k, t in walk(load(f))} for f in input]`, {
      input: written.map(({ file }) => file),
    })) as Record<string, string>[];
    for (const [index, { fixture: source, prefix, file }] of written.entries()) {
      const digests = found[index] ?? {};
      const weights = fixture(source).truth.tensors.filter(({ group }) => group === "model");
      const ties = file.endsWith(".safetensors"); // tied names are dropped there
      for (const { name, sha256 } of weights) {
        const digest = digests[`${prefix}${name}`];
        if (digest === undefined && ties) expect(Object.values(digests), `${basename(file)}: ${name}`).toContain(sha256);
        else expect(digest, `${basename(file)}: ${name}`).toBe(sha256);
      }
    }
    expect(written.length).toBeGreaterThan(40);
  });

  it.each(["F16", "BF16", "F32"] as const)("round as our cast to %s does", async (dtype) => {
    const files = ["special-numbers.pt", "vit-tiny.ckpt", "lstm.pt", "dtypes-all.pt"].filter(
      (file) => fixture(file).truth.tensors.length > 0,
    );
    const pairs = [];
    for (const file of files) pairs.push([fixture(file).path, await convert(file, "state_dict", { dtype, all: true })]);
    const found = (await oracle.run(
      `${DIGESTS}
target = {"F16": torch.float16, "BF16": torch.bfloat16, "F32": torch.float32}["${dtype}"]
def key(t):
    # which of the many NaN patterns a cast gives is not laid down
    if t.is_quantized or not t.is_floating_point() or t.element_size() == 1: return sha(t)
    return sha(torch.where(torch.isnan(t), torch.zeros_like(t), t)) + str(int(torch.isnan(t).sum()))
result = []
for original, converted in input:
    want = dict(walk(torch.load(original, weights_only=False)))
    got = dict(walk(load(converted)))
    got = {k: got[k] for k in got}
    for k, t in want.items():
        if isinstance(t, torch.Tensor) and t.dtype in (torch.float64, torch.float32, torch.float16, torch.bfloat16): t = t.to(target)
        g = got.get(k)
        if g is None or g.dtype != t.dtype or tuple(g.shape) != tuple(t.shape) or key(g) != key(t): result.append([original, k, str(t.dtype), str(g.dtype if g is not None else None)])
`,
      { input: pairs },
    )) as unknown[];
    expect(found).toEqual([]);
  });

  it("load the optimizer and scheduler of a Lightning checkpoint that we turned into a plain one", async () => {
    const out = await convert("vit-tiny.ckpt", "pytorch", { all: true });
    const found = await oracle.run(
      `import torch
original = torch.load(input[0], weights_only=False)
ours = torch.load(input[1], weights_only=True)
params = [torch.nn.Parameter(t.clone()) for t in original["state_dict"].values() if t.is_floating_point()]
optimizer = torch.optim.Adam(params[:len(original["optimizer_states"][0]["param_groups"][0]["params"])])
optimizer.load_state_dict(ours["optimizer_state_dict"])
same = all(torch.equal(v, ours["optimizer_state_dict"]["state"][i][k]) for i, s in original["optimizer_states"][0]["state"].items() for k, v in s.items())
groups = original["optimizer_states"][0]["param_groups"] == ours["optimizer_state_dict"]["param_groups"]
result = {"same": same, "groups": groups, "scheduler": ours["scheduler_state_dict"] == original["lr_schedulers"][0], "epoch": ours["epoch"] == original["epoch"]}`,
      { input: [fixture("vit-tiny.ckpt").path, out] },
    );
    expect(found).toEqual({ same: true, groups: true, scheduler: true, epoch: true });
  });

  it("load weights that we wrote as a Lightning checkpoint into a LightningModule", async () => {
    const out = await convert("lstm.pt", "lightning");
    const found = await oracle.run(
      `import torch, lightning as L
state = torch.load(input[0], weights_only=True)
class Module(L.LightningModule):
    def __init__(self):
        super().__init__()
        for name, t in state.items():
            owner = self
            *parents, leaf = name.split(".")
            for part in parents:
                if not hasattr(owner, part): owner.add_module(part, torch.nn.Module())
                owner = getattr(owner, part)
            owner.register_buffer(leaf, torch.zeros_like(t))
module = Module.load_from_checkpoint(input[1], map_location="cpu", weights_only=True)
result = all(torch.equal(module.state_dict()[k], v) for k, v in state.items())`,
      { input: [fixture("lstm.pt").path, out] },
    );
    expect(found).toBe(true);
  });
});
