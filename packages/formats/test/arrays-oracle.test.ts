import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DTYPES, type DType } from "@ckptkit/core";
import { describeWithOracle, readFixture } from "@ckptkit/testkit/node";
import { jsKernels } from "@ckptkit/wasm/js";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ggufMetadataFor, writeGguf, writeNpz } from "../src/index.js";
import { openBytes } from "./arrays.js";
import { output, type Sample } from "./output-tensors.js";
import { memoryFiles } from "./sinks.js";
import { sha256 } from "./truth.js";

const kernels = jsKernels();
const settings = (fileName: string) => ({ fileName, buffer: new Uint8Array(1000), kernels });

/** A tensor of each dtype, with any bytes, and shapes of every kind. */
const samplesOf = (dtypes: readonly DType[]): Sample[] =>
  dtypes.flatMap((dtype, index) =>
    [[], [0, 3], [7], [2, 3, 4]].map((shape, which) => {
      const count = shape.reduce((product, size) => product * size, 1);
      const bytes = Uint8Array.from({ length: (count * DTYPES[dtype].bits) / 8 }, (_, at) =>
        dtype === "BOOL" ? at % 2 : (37 * at + 11 * index + which) % 256,
      );
      return { name: `größe/${dtype}.${which}`, dtype, shape, bytes };
    }),
  );

describeWithOracle("numpy and gguf", (oracle) => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "ckptkit-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const place = async (files: ReturnType<typeof memoryFiles>, name: string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, files.sinks.get(name)?.bytes ?? new Uint8Array(0));
    return path;
  };

  it("numpy.load opens every array that we write, without pickles", async () => {
    const all = samplesOf(["BOOL", "U8", "I8", "U16", "I16", "U32", "I32", "U64", "I64", "F16", "F32", "F64", "C64", "C128"]);
    const files = memoryFiles();
    await writeNpz(
      all.map((sample) => output(sample)),
      files.create,
      settings("out.npz"),
    );
    const found = await oracle.run(
      `import numpy as np, hashlib
with np.load(input) as z:
    result = {k: [z[k].dtype.str[1:], list(z[k].shape), hashlib.sha256(z[k].tobytes()).hexdigest()] for k in z.files}`,
      { input: await place(files, "out.npz") },
    );
    const code = (dtype: DType): string => dtype.replace(/^[A-Z]+/, "").replace(/\d+/, (bits) => String(Number(bits) / 8));
    const kind = (dtype: DType): string => (dtype === "BOOL" ? "b1" : `${dtype[0]?.toLowerCase()}${code(dtype)}`);
    const expected = await Promise.all(all.map(async ({ name, dtype, shape, bytes }) => [name, [kind(dtype), shape, await sha256(bytes)]]));
    expect(found).toEqual(Object.fromEntries(expected));
  });

  it("gguf opens every tensor that we write, its metadata, and the same Q8_0 as its own to the bit", async () => {
    const original = await openBytes(await readFixture("gguf-types.gguf"), "gguf-types.gguf");
    const numbers = Float32Array.from({ length: 5 * 96 }, (_, at) => Math.sin(at * at) * 10 ** ((at % 13) - 6));
    const matrix: Sample = { name: "matrix", dtype: "F32", shape: [5, 96], bytes: new Uint8Array(numbers.buffer) };
    const all = samplesOf(["I8", "I16", "I32", "I64", "F16", "BF16", "F32", "F64"]).filter(({ shape }) => shape.length > 0);
    const files = memoryFiles();
    await writeGguf(
      [...all, matrix].map((sample) => output(sample)),
      files.create,
      { ...settings("out.gguf"), metadata: ggufMetadataFor(original), quantize: "Q8_0" },
    );
    const script = `import gguf, hashlib, numpy as np
r = gguf.GGUFReader(input["file"])
tensors = {t.name: [t.tensor_type.name, [int(n) for n in reversed(t.shape)], hashlib.sha256(t.data.tobytes()).hexdigest()] for t in r.tensors}
matrix = np.array(input["numbers"], dtype=np.float32).reshape(5, 96)
own = hashlib.sha256(gguf.quants.quantize(matrix, gguf.GGMLQuantizationType.Q8_0).tobytes()).hexdigest()
fields = lambda path: {k: [[t.name for t in f.types], f.contents()] for k, f in gguf.GGUFReader(path).fields.items() if not k.startswith("GGUF.")}
result = {"tensors": tensors, "own": own, "sameFields": fields(input["file"]) == fields(input["original"])}`;
    const originalPath = join(folder, "original.gguf");
    await writeFile(originalPath, await readFixture("gguf-types.gguf"));
    const input = { file: await place(files, "out.gguf"), original: originalPath, numbers: [...numbers] };
    // The oracle answers with plain JSON, in the shape of the script's last line.
    const found = (await oracle.run(script, { input })) as { tensors: Record<string, unknown[]>; own: string; sameFields: boolean };
    for (const { name, dtype, shape, bytes } of all) expect(found.tensors[name], name).toEqual([dtype, shape, await sha256(bytes)]);
    expect(found.tensors.matrix).toEqual(["Q8_0", [5, 96], found.own]);
    expect(found.sameFields).toBe(true);
  });
});
