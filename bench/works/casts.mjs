// Casts of numbers in memory.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

const MIB = 1024 * 1024;
const TORCH = { F32: "float32", BF16: "bfloat16", F16: "float16" };

function cast(from, to) {
  return {
    name: `cast-${from.toLowerCase()}-${to.toLowerCase()}`,
    task: `${from} to ${to}, in memory`,
    async prepare(kit) {
      const bytes = (kit.quick ? 32 : 64) * MIB;
      const kernels = await kit.ckptkit.loadKernels({ memoryBytes: 3 * bytes + 16 * MIB });
      const [source, target] = [kernels.allocate(bytes), kernels.allocate(2 * bytes)];
      const numbers = new Float32Array(source.bytes.buffer, source.bytes.byteOffset, bytes / 4);
      for (let i = 0; i < numbers.length; i++) numbers[i] = Math.random() * 2 - 1;
      // Half floats: the numbers as such, twice.
      if (from !== "F32") {
        const made = kernels.cast("F32", from, source.bytes, target.bytes);
        source.bytes.set(target.bytes.subarray(0, made));
        source.bytes.copyWithin(made, 0, made);
      }
      const width = from === "F32" ? 4 : 2;
      const path = join(kit.folder, "cast.bin");
      writeFileSync(path, source.bytes);
      const python = await kit.python();
      await python.run?.(
        `import torch, zlib\ntorch.set_num_threads(1)\nx = torch.from_file(${JSON.stringify(path)}, size=${bytes / width}, dtype=torch.${TORCH[from]}).clone()\ny = torch.empty(${bytes / width}, dtype=torch.${TORCH[to]})`,
      );
      const copy = new Uint8Array(bytes);
      const crc = () => {
        const hasher = kernels.hasher("crc32");
        hasher.update(target.bytes.subarray(0, (bytes / width) * (to === "F32" ? 4 : 2)));
        const answer = hasher.hexDigest();
        hasher.free();
        return answer;
      };
      kernels.cast(from, to, source.bytes, target.bytes);
      const digest = crc();
      const digestOf =
        python.run && (await python.run(`y.copy_(x)\nanswer = "%08x" % zlib.crc32(y.view(torch.uint8).numpy().tobytes())`)).answer;
      if (digestOf && digestOf !== digest) throw new Error(`torch casts ${from} to ${to} to other bytes.`);
      return {
        bytes,
        tools: {
          ckptkit: () => void kernels.cast(from, to, source.bytes, target.bytes),
          memcpy: () => void copy.set(source.bytes),
          "torch, 1 thread: copy_": python.run ? async () => ({ ms: (await python.run("y.copy_(x)")).ms }) : python,
        },
        close: () => python.run?.("x = y = None"),
      };
    },
  };
}

export const works = [cast("F32", "BF16"), cast("F32", "F16"), cast("BF16", "F32"), cast("F16", "F32")];
