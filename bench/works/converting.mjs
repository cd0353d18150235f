// Writing files: beside a plain copy of the same bytes, and beside what Python's tools do.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, fsyncSync, openSync, readSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { largeBytes, largeCheckpoint } from "../lib/large-checkpoint.mjs";
import { Absent } from "../lib/turns.mjs";

const gigabytes = (bytes) => `${(bytes / 2 ** 30).toFixed(0)} GiB`;

/** A digest of all tensors of a safetensors file, by name. */
async function digestOf({ openCheckpoint, hashTensors, nodePlatform }, path) {
  const checkpoint = await openCheckpoint(path);
  const { tensors } = await hashTensors(checkpoint, { kernels: await nodePlatform().kernels(), algorithm: "xxh3" });
  const names = checkpoint.tensors.map(({ name }) => name);
  await checkpoint.close();
  const lines = tensors.map(({ digest }, index) => `${names[index]} ${digest}`).sort();
  return createHash("sha256").update(lines.join("\n")).digest("hex");
}

/** Reads a file once, so that everyone finds it in the page cache. */
function warm(path) {
  const file = openSync(path);
  const target = new Uint8Array(2 ** 22);
  for (let at = 0; readSync(file, target, 0, target.length, at) > 0; ) at += target.length;
  closeSync(file);
}

function flush(path) {
  const file = openSync(path, "r+");
  fsyncSync(file);
  closeSync(file);
}

function conversion({ name, dtype, atLeast, torchCast, targets = [] }) {
  return {
    name,
    task: (kit) =>
      `${gigabytes(largeBytes(kit))} of .ckpt to .safetensors${dtype ? `, F32 cast to ${dtype}` : ""}, by a process of its own`,
    targets: [{ peer: "cp", atLeast }, ...targets],
    async prepare(kit) {
      const path = await largeCheckpoint(kit);
      warm(path);
      const outputs = [];
      const out = (label) => {
        const output = join(kit.folder, `out-${label}.safetensors`);
        outputs.push(output);
        return output;
      };
      const resident = [];
      const python = await kit.python();
      let digested = 0;
      // Answers are compared in the first round only, outside of the time.
      const answered = async (output, ms) => ({ ms, ...(digested++ < 2 && { answer: await digestOf(kit.ckptkit, output) }) });
      const timed = (command, args) => {
        const start = performance.now();
        const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8" });
        const ms = performance.now() - start;
        if (status !== 0) throw new Error(stderr || `${command} ended with exit code ${status}.`);
        return { ms, stdout };
      };
      const copy = (after) => () => {
        const target = out("cp");
        rmSync(target, { force: true });
        const start = performance.now();
        timed("cp", ["--reflink=never", path, target]);
        after?.(target);
        return { ms: performance.now() - start };
      };
      const ours = async () => {
        const target = out("ours");
        rmSync(target, { force: true });
        const { ms, stdout } = timed(process.execPath, [kit.child, "convert", path, target, ...(dtype ? [dtype] : [])]);
        resident.push(JSON.parse(stdout).residentBytes);
        return answered(target, ms);
      };
      const theirs = python.run
        ? async () => {
            const target = out("python");
            rmSync(target, { force: true });
            const { ms } = await python.run(
              `import torch\nfrom safetensors.torch import save_file\nloaded = torch.load(${JSON.stringify(path)}, weights_only=True, mmap=True)["state_dict"]\nsave_file({name: t${torchCast ?? ""} for name, t in loaded.items()}, ${JSON.stringify(target)})\nloaded = None`,
            );
            return answered(target, ms);
          }
        : python;
      return {
        bytes: statSync(path).size,
        tools: {
          ckptkit: ours,
          cp: process.platform === "win32" ? new Absent("Windows has none") : copy(),
          "cp, flushed to the device as ours is": process.platform === "win32" ? new Absent("Windows has none") : copy(flush),
          "torch.load(mmap) + save_file": theirs,
        },
        notes: () => [`ckptkit held ${(Math.max(...resident) / 1e6).toFixed(0)} MB at most (wanted under 250 MB)`],
        close() {
          for (const output of outputs) rmSync(output, { force: true });
        },
      };
    },
  };
}

export const works = [
  conversion({ name: "convert", atLeast: 0.8, targets: [{ peer: "torch.load(mmap) + save_file", atLeast: 3 }] }),
  conversion({ name: "convert-bf16", dtype: "BF16", atLeast: 0.6, torchCast: ".to(torch.bfloat16)" }),
];
