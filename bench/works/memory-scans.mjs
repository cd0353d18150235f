// Numbers that lie in the kernels' memory: are they finite, and their statistics.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

const MIB = 1024 * 1024;
const DTYPES = { F32: "float32", BF16: "bfloat16", F16: "float16" };
const WIDTH = { F32: 4, BF16: 2, F16: 2 };

/** Random bits of finite numbers near 1: the same for everyone, also where a dtype has no array of its own. */
function fill(bytes, dtype) {
  const bits =
    dtype === "F32"
      ? new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
      : new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  const [sign, mantissa, exponents] = { F32: [31, 23, [120, 8]], BF16: [15, 7, [120, 8]], F16: [15, 10, [8, 8]] }[dtype];
  let state = 1;
  for (let i = 0; i < bits.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const exponent = exponents[0] + ((state >>> 9) % exponents[1]);
    bits[i] = ((state & 1) << sign) | (exponent << mantissa) | ((state >>> 12) & ((1 << mantissa) - 1));
  }
}

/** The same bytes for all: in the kernels' memory, and in a file for Python. */
async function data(kit, dtype) {
  const bytes = (kit.quick ? 64 : 128) * MIB;
  const kernels = await kit.ckptkit.loadKernels({ memoryBytes: bytes + 16 * MIB });
  const buffer = kernels.allocate(bytes);
  fill(buffer.bytes, dtype);
  const path = join(kit.folder, `${dtype}.bin`);
  writeFileSync(path, buffer.bytes);
  const python = await kit.python();
  if (python.run) {
    await python.run(
      `import numpy, torch\ntorch.set_num_threads(1)\nx = torch.from_file(${JSON.stringify(path)}, size=${bytes / WIDTH[dtype]}, dtype=torch.${DTYPES[dtype]}).clone()`,
    );
    if (dtype !== "BF16") await python.run("n = x.numpy()");
  }
  return { bytes, kernels, buffer, python };
}

function memcpy({ bytes }) {
  const target = new Uint8Array(bytes.length);
  return () => void target.set(bytes);
}

const torch = (python, code) => (python.run ? () => python.run(code) : python);

function finite(dtype) {
  return {
    name: `finite-${dtype.toLowerCase()}`,
    task: `Are all numbers finite? ${dtype} in memory`,
    targets: [
      { peer: "memcpy", atLeast: 0.85 },
      { peer: "torch, 1 thread: isfinite.all", atLeast: 10 },
    ],
    async prepare(kit) {
      const { bytes, kernels, buffer, python } = await data(kit, dtype);
      const numbers = dtype === "F32" ? new Float32Array(buffer.bytes.buffer, buffer.bytes.byteOffset, bytes / 4) : undefined;
      const naive = () => {
        for (let i = 0; i < numbers.length; i++) if (!Number.isFinite(numbers[i])) return { answer: false };
        return { answer: true };
      };
      return {
        bytes,
        tools: {
          ckptkit: () => ({ answer: kernels.nextNonFinite(dtype, buffer.bytes) < 0 }),
          memcpy: memcpy(buffer),
          "torch, 1 thread: isfinite.all": torch(python, "answer = bool(torch.isfinite(x).all())"),
          ...(dtype !== "BF16" && { "numpy: isfinite.all": torch(python, "answer = bool(numpy.isfinite(n).all())") }),
          ...(numbers && { "JavaScript loop": naive }),
        },
        close: () => python.run?.("x = n = None"),
      };
    },
  };
}

/** Within what a float32 sum of Python's peers may be off. */
const nearly = (a, b) => Object.keys(a).every((key) => Math.abs(a[key] - b[key]) <= 1e-3 * Math.max(1, Math.abs(a[key])));

function statistics(dtype) {
  return {
    name: `statistics-${dtype.toLowerCase()}`,
    task: `NaN, Inf, zeros, minimum, maximum, mean, deviation: ${dtype} in memory`,
    targets: [
      { peer: "memcpy", atLeast: dtype === "F32" ? 0.55 : 0.3 },
      { peer: "torch, 1 thread: min, max, mean, std", atLeast: 6 },
    ],
    async prepare(kit) {
      const { bytes, kernels, buffer, python } = await data(kit, dtype);
      const numbers = dtype === "F32" ? new Float32Array(buffer.bytes.buffer, buffer.bytes.byteOffset, bytes / 4) : undefined;
      const ours = () => {
        const scanner = kernels.scanner(dtype);
        scanner.update(buffer.bytes);
        const { min, max, mean, std } = scanner.result();
        scanner.free();
        return { answer: { min, max, mean, std } };
      };
      const naive = () => {
        let [min, max, sum, squares, n] = [Infinity, -Infinity, 0, 0, 0];
        for (let i = 0; i < numbers.length; i++) {
          const x = numbers[i];
          if (!Number.isFinite(x)) continue;
          if (x < min) min = x;
          if (x > max) max = x;
          sum += x;
          squares += x * x;
          n++;
        }
        const mean = sum / n;
        return { answer: { min, max, mean, std: Math.sqrt(squares / n - mean * mean) } };
      };
      return {
        bytes,
        same: nearly,
        tools: {
          ckptkit: ours,
          memcpy: memcpy(buffer),
          "torch, 1 thread: min, max, mean, std": torch(
            python,
            'answer = {"min": x.min().item(), "max": x.max().item(), "mean": x.mean().item(), "std": x.std(correction=0).item()}',
          ),
          ...(dtype !== "BF16" && {
            "numpy: min, max, mean, std": torch(
              python,
              'answer = {"min": float(n.min()), "max": float(n.max()), "mean": float(n.mean(dtype="f8")), "std": float(n.std(dtype="f8"))}',
            ),
          }),
          ...(numbers && { "JavaScript loop": naive }),
        },
        close: () => python.run?.("x = n = None"),
      };
    },
  };
}

export const works = [...Object.keys(DTYPES).map(finite), ...Object.keys(DTYPES).map(statistics)];
