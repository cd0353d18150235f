// Opening: from nothing to knowing what is in a file.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { largeCheckpoint } from "../lib/large-checkpoint.mjs";
import { largeSafetensors } from "../lib/large-files.mjs";
import { Absent, peer } from "../lib/turns.mjs";

/** Runs a program to its end; throws what it says when it fails. */
function run(command, args) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8", maxBuffer: 2 ** 28 });
  if (status !== 0) throw new Error(stderr || `${command} ended with exit code ${status}.`);
  return stdout;
}

/** Opens in a new process each time: nothing is loaded and no code is warm when it begins. */
const opened = (kit, path) => () => {
  const { ms, tensors } = JSON.parse(run(process.execPath, [kit.child, "open", path]));
  return { ms, answer: tensors };
};

const torchLoad = (python, path, options) =>
  python.run
    ? () =>
        python.run(
          `import torch\nloaded = torch.load(${JSON.stringify(path)}, weights_only=True${options})\nanswer = len(loaded.get("state_dict", loaded))`,
        )
    : python;

const CKPT = fileURLToPath(new URL("../../packages/cli/bin/ckpt.js", import.meta.url));
const isBuilt = existsSync(new URL("../../packages/cli/dist/main.js", import.meta.url));

export const works = [
  {
    name: "open",
    task: "Open a .ckpt of 1 GB in a new process, after its start",
    targets: [{ under: 15 }],
    async prepare(kit) {
      const path = await largeCheckpoint(kit, 2 ** 30);
      const python = await kit.python();
      return {
        tools: {
          ckptkit: opened(kit, path),
          "torch.load": torchLoad(python, path, ""),
          "torch.load, mmap": torchLoad(python, path, ", mmap=True"),
        },
        size: statSync(path).size,
        close: () => python.run?.("loaded = None"),
      };
    },
  },
  {
    name: "open-100-gb",
    task: "Open a sparse .ckpt of 100 GB with 2,000 tensors in a new process, after its start",
    targets: [{ under: 30 }],
    async prepare(kit) {
      const big = await kit.bigTorch.bigTorchZip({ bytes: 100e9, tensors: 2000, lightning: true });
      const python = await kit.python();
      return {
        tools: { ckptkit: opened(kit, big.path), "torch.load, mmap": torchLoad(python, big.path, ", mmap=True") },
        size: big.size,
        async close() {
          await python.run?.("loaded = None");
          await big.remove();
        },
      };
    },
  },
  {
    name: "inspect-process",
    task: "ckpt inspect of a .ckpt of 1 GB: the whole process",
    targets: [{ under: 150 }],
    async prepare(kit) {
      const path = await largeCheckpoint(kit, 2 ** 30);
      const python = await kit.pythonPath();
      const script = `import torch; print(len(torch.load(${JSON.stringify(path)}, weights_only=True, mmap=True)["state_dict"]))`;
      return {
        tools: {
          ckptkit: isBuilt
            ? () => void run(process.execPath, [CKPT, "inspect", path])
            : new Absent("packages/cli is not built: pnpm build"),
          "node, doing nothing": () => void run(process.execPath, ["-e", "0"]),
          "python: torch.load, mmap": python instanceof Absent ? python : () => void run(python, ["-c", script]),
        },
        size: statSync(path).size,
      };
    },
  },
  {
    name: "safetensors-header",
    task: "Read the header of a safetensors file with 20,000 tensors",
    async prepare(kit) {
      const { path, tensors } = largeSafetensors(kit.folder, "header.safetensors", { tensors: 20_000, tensorBytes: 64 });
      const bytes = readFileSync(path);
      // For both: a server that answers ranges, in memory.
      const fetch = async (_, init) => {
        const range = /^bytes=(\d+)-(\d+)$/.exec(new Headers(init?.headers).get("range") ?? "");
        const [start, end] = range ? [Number(range[1]), Math.min(Number(range[2]) + 1, bytes.length)] : [0, bytes.length];
        const headers = { etag: '"1"', "content-length": String(end - start), "accept-ranges": "bytes" };
        if (range) headers["content-range"] = `bytes ${start}-${end - 1}/${bytes.length}`;
        return new Response(init?.method === "HEAD" ? null : bytes.subarray(start, end), { status: range ? 206 : 200, headers });
      };
      const python = await kit.python();
      const { nodePlatform, openCheckpoint } = kit.ckptkit;
      const platform = nodePlatform({ http: { fetch } });
      return {
        size: bytes.length,
        tools: {
          "ckptkit: file": async () => {
            const checkpoint = await openCheckpoint(path);
            await checkpoint.close();
            return { answer: checkpoint.tensors.length };
          },
          "ckptkit: HTTP": async () => {
            const checkpoint = await openCheckpoint("https://example.org/bench/model/resolve/main/model.safetensors", { platform });
            await checkpoint.close();
            return { answer: checkpoint.tensors.length };
          },
          "@huggingface/hub: HTTP": await peer(async () => {
            const { parseSafetensorsMetadata } = await import("@huggingface/hub");
            return async () => {
              const { header } = await parseSafetensorsMetadata({
                repo: "bench/model",
                path: "model.safetensors",
                hubUrl: "https://example.org",
                fetch,
              });
              return { answer: Object.keys(header).filter((name) => name !== "__metadata__").length };
            };
          }),
          "safetensors in Python: safe_open": python.run
            ? () =>
                python.run(
                  `from safetensors import safe_open\nwith safe_open(${JSON.stringify(path)}, "pt") as file:\n    answer = len([file.get_slice(name).get_shape() for name in file.keys()])`,
                )
            : python,
        },
        tensors: tensors.length,
      };
    },
  },
];
