// Going through all bytes of a file.
import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { cpus } from "node:os";
import { largeBytes, largeCheckpoint, largeModel } from "../lib/large-checkpoint.mjs";

/** Reads a file from beginning to end into the same place: what any program pays at least. */
function pread(path) {
  const target = new Uint8Array(1024 * 1024);
  return () => {
    const file = openSync(path);
    const { size } = fstatSync(file);
    for (let at = 0; at < size; at += target.length) readSync(file, target, 0, target.length, at);
    closeSync(file);
  };
}

const gigabytes = (bytes) => `${(bytes / 2 ** 30).toFixed(0)} GiB`;

export const works = [
  {
    name: "scan",
    task: "Look at every number of a .ckpt of 1 GB: NaN, Inf, minimum, maximum, mean, deviation",
    targets: [{ peer: "torch: isfinite min max mean std", atLeast: 6 }],
    async prepare(kit) {
      const path = await largeCheckpoint(kit, 2 ** 30);
      const { nodePlatform, openCheckpoint, scanCheckpoint } = kit.ckptkit;
      const python = await kit.python();
      return {
        bytes: statSync(path).size,
        tools: {
          ckptkit: async () => {
            const checkpoint = await openCheckpoint(path);
            const { totals } = await scanCheckpoint(checkpoint, { kernels: await nodePlatform().kernels() });
            await checkpoint.close();
            return { answer: totals.nan + totals.posInf + totals.negInf };
          },
          "torch: isfinite min max mean std": python.run
            ? () =>
                python.run(
                  `import torch\ntorch.set_num_threads(1)\nanswer = 0\nfor t in torch.load(${JSON.stringify(path)}, weights_only=True, mmap=True)["state_dict"].values():\n    answer += 0 if torch.isfinite(t).all() else 1; t.min(); t.max(); t.mean(); t.std()`,
                )
            : python,
        },
      };
    },
  },
  ...["statistics", "finite"].map((mode) => ({
    name: mode === "finite" ? "finite-threads" : "scan-threads",
    task: (kit) =>
      `${mode === "finite" ? "Any NaN or infinity" : "Statistics"} of a file of ${gigabytes(largeBytes(kit))} in the page cache, by number of threads (${cpus().length} cores)`,
    targets: [
      { ours: "ckptkit: 1 thread of a pool", peer: "pread into one place", atLeast: 0.8 },
      { ours: "ckptkit: 2 threads of a pool", peer: "ckptkit: 1 thread of a pool", atLeast: 1.7 },
    ],
    async prepare(kit) {
      const path = largeModel(kit);
      const { checkFinite, nodePlatform, openCheckpoint, scanCheckpoint, workerPool } = kit.ckptkit;
      const kernels = await nodePlatform().kernels();
      const checkpoint = await openCheckpoint(path);
      const pools = [await workerPool({ size: 1 }), await workerPool({ size: 2 })];
      const work = mode === "finite" ? checkFinite : scanCheckpoint;
      const scan = (pool) => async () => ({ answer: (await work(checkpoint, { kernels, pool })).tensors });
      return {
        bytes: statSync(path).size,
        tools: {
          "ckptkit: no pool": scan(),
          "ckptkit: 1 thread of a pool": scan(pools[0]),
          "ckptkit: 2 threads of a pool": scan(pools[1]),
          "pread into one place": pread(path),
        },
        async close() {
          for (const pool of pools) pool.close();
          await checkpoint.close();
        },
      };
    },
  })),
  {
    name: "load",
    task: "Read every tensor of a safetensors file of 1 GB into memory",
    async prepare(kit) {
      const path = largeModel(kit, 2 ** 30);
      const { openCheckpoint } = kit.ckptkit;
      const python = await kit.python();
      const loaded = (code) =>
        python.run ? () => python.run(`${code}\nanswer = sum(t.numel() for t in loaded.values())\nloaded = None`) : python;
      return {
        bytes: statSync(path).size,
        tools: {
          ckptkit: async () => {
            const checkpoint = await openCheckpoint(path);
            const loaded = [];
            for (const tensor of checkpoint.tensors) loaded.push(await tensor.read());
            await checkpoint.close();
            return { answer: loaded.reduce((sum, { byteLength }) => sum + byteLength / 4, 0) };
          },
          "safetensors in Python: load_file": loaded(
            `from safetensors.torch import load_file\nloaded = load_file(${JSON.stringify(path)})`,
          ),
          "torch.load of the same as .ckpt": await largeCheckpoint(kit, 2 ** 30).then((ckpt) =>
            loaded(`import torch\nloaded = torch.load(${JSON.stringify(ckpt)}, weights_only=True)["state_dict"]`),
          ),
        },
      };
    },
  },
  {
    name: "compare",
    task: "Compare two files of 512 MiB whose numbers differ: largest and mean difference, cosine",
    async prepare(kit) {
      const { compareCheckpoints, convertCheckpoint, fileSink, nodePlatform, openCheckpoint } = kit.ckptkit;
      const [a, b] = [largeModel(kit, 2 ** 29), `${kit.folder}/rounded.safetensors`];
      const kernels = await nodePlatform().kernels();
      const half = `${kit.folder}/half.safetensors`;
      // There and back again: numbers that are a little off.
      for (const [from, fileName, dtype] of [
        [a, half, "BF16"],
        [half, b, "F32"],
      ]) {
        const checkpoint = await openCheckpoint(from);
        await convertCheckpoint(checkpoint, (name) => fileSink(name, { overwrite: true }), { kernels, fileName, to: "safetensors", dtype });
        await checkpoint.close();
      }
      const python = await kit.python();
      return {
        bytes: 2 * statSync(a).size,
        same: (x, y) => Math.abs(x - y) <= 1e-6,
        tools: {
          ckptkit: async () => {
            const [x, y] = [await openCheckpoint(a), await openCheckpoint(b)];
            const { changed } = await compareCheckpoints(x, y, { kernels });
            await Promise.all([x.close(), y.close()]);
            return { answer: Math.max(...changed.map(({ difference }) => difference.maxAbs)) };
          },
          "torch, 1 thread: max, mean, cosine": python.run
            ? () =>
                python.run(
                  `import torch\nfrom safetensors import safe_open\ntorch.set_num_threads(1)\nanswer = 0.0\nwith safe_open(${JSON.stringify(a)}, "pt") as x, safe_open(${JSON.stringify(b)}, "pt") as y:\n    for name in x.keys():\n        p, q = x.get_tensor(name), y.get_tensor(name)\n        d = (p - q).abs()\n        answer = max(answer, d.max().item()); d.mean().item(); torch.nn.functional.cosine_similarity(p, q, dim=0).item(); torch.equal(p, q)`,
                )
            : python,
        },
      };
    },
  },
];
