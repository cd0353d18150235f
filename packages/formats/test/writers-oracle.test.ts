import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Checkpoint, DTYPES, type DType, memorySource, type OutputTensor, type TensorSpec, type Tree } from "@ckptkit/core";
import { describeWithOracle, fixture, readFixture, writeSparse } from "@ckptkit/testkit/node";
import { jsKernels } from "@ckptkit/wasm/js";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openCheckpoint, SAFETENSORS_DTYPES, writeSafetensors, writeTorch } from "../src/index.js";
import { torchNameOf } from "../src/torch/dtypes.js";
import { output, type Sample, specOf } from "./output-tensors.js";
import { memoryFiles } from "./sinks.js";
import { sparseKernels, sparseSink, zeroTensor } from "./sparse-sink.js";
import { sha256 } from "./truth.js";

/** SHA-256, dtype and shape of every tensor of a state dict, as Python sees them. */
const DESCRIBE = `
import hashlib, torch
def describe(tensor):
    flat = tensor.detach().contiguous()
    data = flat.untyped_storage().tolist() if flat.numel() else []
    return [str(tensor.dtype), list(tensor.shape), hashlib.sha256(bytes(data)).hexdigest(), tensor.requires_grad]
`;

const kernels = jsKernels();
const settings = (fileName: string) => ({ fileName, buffer: new Uint8Array(1000), kernels });

/** One tensor of each dtype that torch saves without parameters. */
const SAMPLES: readonly Sample[] = (Object.keys(DTYPES) as DType[])
  .filter((dtype) => torchNameOf(dtype) !== undefined && DTYPES[dtype].kind !== "quantized" && DTYPES[dtype].bits >= 8)
  .map((dtype, index) => {
    const bytes = new Uint8Array((6 * DTYPES[dtype].bits) / 8);
    for (let at = 0; at < bytes.length; at++) bytes[at] = dtype === "BOOL" ? at % 2 : (37 * at + 11 * index) % 256;
    return { name: `größe.${dtype}`, dtype, shape: [2, 3], bytes };
  });

const treeOf = (entries: [Tree, Tree][]): Tree => ({ kind: "map", type: "collections.OrderedDict", entries });
const resolve = (spec: TensorSpec, name: string): OutputTensor =>
  output({ ...(SAMPLES.find((each) => each.name === spec.storage?.id) as Sample), name }, spec.storage?.id);

describeWithOracle("what we write", (oracle) => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "ckptkit-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const place = async (files: ReturnType<typeof memoryFiles>): Promise<void> => {
    for (const name of files.visible()) await writeFile(join(folder, name), files.sinks.get(name)?.bytes ?? new Uint8Array(0));
  };

  it("is loaded by torch.load(weights_only=True): every dtype, bit for bit, ties and gradients kept", async () => {
    const files = memoryFiles();
    const entries = SAMPLES.map((each): [Tree, Tree] => [each.name, { kind: "tensor", tensor: specOf(each) }]);
    const tied = entries[3]?.[1] as Tree;
    const graded: Tree = {
      kind: "tensor",
      tensor: { ...specOf(SAMPLES.find(({ dtype }) => dtype === "F32") as Sample), requiresGrad: true },
    };
    const tree = treeOf([...entries, ["tied", tied], ["graded", graded], ["epoch", 3], ["lr", 0.1], ["one", { kind: "real", value: 1 }]]);
    await writeTorch(tree, resolve, files.create, settings("all.pt"));
    await place(files);
    const script = `${DESCRIBE}
loaded = torch.load(input, weights_only=True)
mapped = torch.load(input, weights_only=True, mmap=True)
tensors = {key: describe(value) for key, value in loaded.items() if isinstance(value, torch.Tensor)}
assert {key: describe(value) for key, value in mapped.items() if isinstance(value, torch.Tensor)} == tensors
names = list(loaded)
rest = {key: [type(value).__name__, value] for key, value in loaded.items() if key not in tensors}
same = loaded["tied"].untyped_storage().data_ptr() == loaded[names[3]].untyped_storage().data_ptr()
result = [type(loaded).__name__, names, tensors, rest, same]`;
    const [type, names, tensors, rest, same] = (await oracle.run(script, { input: join(folder, "all.pt") })) as [
      string,
      string[],
      Record<string, unknown[]>,
      unknown,
      boolean,
    ];
    expect([type, same]).toEqual(["OrderedDict", true]);
    expect(names).toEqual([...SAMPLES.map(({ name }) => name), "tied", "graded", "epoch", "lr", "one"]);
    expect(rest).toEqual({ epoch: ["int", 3], lr: ["float", 0.1], one: ["float", 1] });
    for (const { name, dtype, shape, bytes } of SAMPLES) {
      expect(tensors[name], name).toEqual([`torch.${torchNameOf(dtype)}`, shape, await sha256(bytes), false]);
    }
    expect(tensors.graded?.[3]).toBe(true);
  });

  it("is loaded by safetensors.torch.load_file and safe_open: every dtype, bit for bit", async () => {
    const files = memoryFiles();
    // Newer than this torch are F6 and F4 as safetensors has them.
    const all = SAMPLES.filter(({ dtype }) => SAFETENSORS_DTYPES.has(dtype) && dtype !== "F8_E8M0");
    await writeSafetensors(
      [...all.map((each) => output(each)), output({ ...(all[0] as Sample), name: "tied" }, all[0]?.name)],
      files.create,
      { ...settings("all.safetensors"), metadata: { format: "pt" } },
    );
    await place(files);
    const script = `${DESCRIBE}
from safetensors import safe_open
from safetensors.torch import load_file
with safe_open(input, "pt") as file:
    metadata = file.metadata()
result = [{key: describe(value) for key, value in load_file(input).items()}, metadata]`;
    const [tensors, metadata] = (await oracle.run(script, { input: join(folder, "all.safetensors") })) as [
      Record<string, unknown[]>,
      unknown,
    ];
    expect(metadata).toEqual({ format: "pt", tied: all[0]?.name });
    expect(Object.keys(tensors).sort()).toEqual(all.map(({ name }) => name).sort());
    for (const { name, dtype, shape, bytes } of all) {
      expect(tensors[name], name).toEqual([`torch.${torchNameOf(dtype)}`, shape, await sha256(bytes), false]);
    }
  });

  it("is loaded by torch when it is larger than 4 GiB", async () => {
    const target = sparseSink();
    const small = SAMPLES.find(({ dtype }) => dtype === "F32") as Sample;
    const spec = specOf(small);
    const entries = ["big", "after"].map((name): [Tree, Tree] => [name, { kind: "tensor", tensor: { ...spec } }]);
    const sized = (_: TensorSpec, name: string): OutputTensor =>
      name === "big" ? zeroTensor("big", 5 * 2 ** 30) : output({ ...small, name });
    await writeTorch(treeOf(entries), sized, async () => target.sink, { ...settings("big.pt"), kernels: sparseKernels() });
    await writeSparse(join(folder, "big.pt"), target.sink.position, target.pieces);
    const script = `${DESCRIBE}
loaded = torch.load(input, weights_only=True, mmap=True)
result = [list(loaded["big"].shape), float(loaded["big"][-1]), describe(loaded["after"])]`;
    const found = await oracle.run(script, { input: join(folder, "big.pt") });
    expect(found).toEqual([[(5 * 2 ** 30) / 4], 0, ["torch.float32", [2, 3], await sha256(small.bytes), false]]);
  });

  it("is loaded by torch where it was read from a quantised model", async () => {
    const { path } = fixture("quantized.pt");
    const checkpoint: Checkpoint = await openCheckpoint(memorySource(await readFixture("quantized.pt")));
    const files = memoryFiles();
    const copy = (of: TensorSpec, name: string): OutputTensor => {
      const tensor = checkpoint.tensors.find(({ spec }) => spec === of) ?? checkpoint.tensors[0];
      const parts = checkpoint.tensors.flatMap(({ spec }) =>
        spec.quantization && "scales" in spec.quantization ? [spec.quantization.scales, spec.quantization.zeroPoints] : [],
      );
      const part = parts.find((spec) => spec === of);
      const bytes = part ? partBytes(part) : (tensor?.byteLength ?? 0);
      return {
        name,
        dtype: of.dtype,
        shape: of.shape,
        byteLength: bytes,
        tieKey: `${of.storage?.id}/${of.byteOffset}/${of.dtype}/${of.shape.join("x")}`,
        async *chunks() {
          const buffer = new Uint8Array(bytes);
          if (part) await part.storage?.readInto(buffer, part.byteOffset);
          else await tensor?.readInto(buffer);
          yield buffer;
        },
      };
    };
    await writeTorch(checkpoint.tree, copy, files.create, settings("quantized-copy.pt"));
    await place(files);
    const script = `
import torch
def same(a, b):
    return a.dtype == b.dtype and a.qscheme() == b.qscheme() and bool((a.dequantize() == b.dequantize()).all()) if a.is_quantized else torch.equal(a, b)
one, two = (torch.load(path, weights_only=True) for path in input)
result = {key: same(value, two[key]) for key, value in one.items()}`;
    const found = (await oracle.run(script, { input: [path, join(folder, "quantized-copy.pt")] })) as Record<string, boolean>;
    expect(Object.values(found).length).toBeGreaterThan(3);
    expect(Object.entries(found).filter(([, equal]) => !equal)).toEqual([]);
  });
});

const partBytes = ({ dtype, shape }: TensorSpec): number =>
  (shape.reduce((product, size) => product * size, 1) * DTYPES[dtype as DType].bits) / 8;
