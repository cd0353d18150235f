import { CheckpointError, decodedTensor, watchCrc } from "@ckptkit/core";
import { damage, seededRandom } from "@ckptkit/testkit";
import { crc32c, jsKernels } from "@ckptkit/wasm/js";
import { afterEach, describe, expect, it } from "vitest";
import { onnxReader, tfBundleReader } from "../src/index.js";
import { unmasked } from "../src/tf-bundle/crc.js";
import { bytesOf, exchangeFiles, openAmong } from "./exchange.js";

/** Damaged copies of each file. */
const COPIES = 500;
const kernels = jsKernels();
const unhandled: unknown[] = [];
process.on("unhandledRejection", (error: unknown) => unhandled.push(error));
afterEach(() => expect(unhandled).toEqual([]));

const coded = async <T>(work: () => Promise<T>): Promise<T | string> => {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof CheckpointError) || error.code === "INTERNAL") throw error;
    return error.code;
  }
};

const models = await exchangeFiles("onnx.json");
const bundles = await exchangeFiles("tensorflow.json");
const cases = [
  ...models.map(({ file, beside }) => ({ file, beside, reader: onnxReader })),
  ...bundles.map(({ file, beside }) => ({ file, beside, reader: tfBundleReader })),
];

describe.each(cases.map((one) => [one.file, one] as const))("%s, damaged 500 times", (file, { beside, reader }) => {
  it("gives a coded error, a finding, or tensors that can be read; what its checksums call right, is right", async () => {
    const all = await bytesOf(file, ...beside);
    const names = [...all.keys()];
    const clean = new Map<string, Uint8Array>();
    for (const tensor of (await openAmong(file, all)).tensors) clean.set(tensor.path, await tensor.read());
    for (let seed = 0; seed < COPIES; seed++) {
      const random = seededRandom(seed);
      // Three times in four the file that describes the others.
      const victim = names[random.integer(4) > 0 ? 0 : random.integer(names.length)] ?? file;
      const { bytes, description } = damage(all.get(victim) ?? new Uint8Array(0), seed);
      const label = `${victim}, ${description}`;
      reader.matches({ head: bytes.slice(0, 65_536), size: bytes.length, name: victim });
      const files = new Map([...all, [victim, bytes]]);
      const checkpoint = await coded(() => openAmong(file, files, { readers: [reader] }));
      if (typeof checkpoint === "string") continue;
      for (const tensor of checkpoint.tensors) {
        if (random.integer(checkpoint.tensors.length) >= 4 || tensor.byteLength > 10_000_000) continue;
        const watch = tensor.storage && watchCrc(tensor.storage, kernels);
        const read = await coded(() => tensor.read());
        const crc = watch && (await coded(() => watch.finish()));
        if (typeof read === "string") continue;
        expect(read.length, label).toBe(tensor.byteLength);
        await coded(() => decodedTensor(tensor).read());
        const expected = clean.get(tensor.path);
        if (watch && crc === undefined && expected) expect(Buffer.compare(read, expected), `${label}: ${tensor.path}`).toBe(0);
      }
      await checkpoint.close();
    }
  });
});

describe.each(bundles.map(({ file, beside }) => [file, beside] as const))("%s, changed so that its checksums hold", (file, beside) => {
  it("gives a coded error, a finding, or tensors that can be read", async () => {
    const all = await bytesOf(file, ...beside);
    const index = all.get(file) ?? new Uint8Array(0);
    const blocks = blocksOf(index);
    expect(blocks.length).toBeGreaterThanOrEqual(3);
    for (let seed = 0; seed < COPIES; seed++) {
      const random = seededRandom(seed);
      const bytes = index.slice();
      const [start = 0, end = 1] = blocks[random.integer(blocks.length)] ?? [];
      for (let times = random.integer(3); times >= 0; times--) bytes[start + random.integer(end - start)] = random.integer(256);
      const crc = crc32c(bytes.subarray(start, end + 1));
      new DataView(bytes.buffer).setUint32(end + 1, ((((crc >>> 15) | (crc << 17)) >>> 0) + 0xa282ead8) % 2 ** 32, true);
      const checkpoint = await coded(() => openAmong(file, new Map([...all, [file, bytes]])));
      if (typeof checkpoint === "string") continue;
      for (const tensor of checkpoint.tensors) {
        if (tensor.byteLength > 10_000_000) continue;
        const read = await coded(() => tensor.read());
        if (typeof read !== "string") expect(read.length, `${file}, seed ${seed}`).toBe(tensor.byteLength);
      }
    }
  });
});

/** Where the blocks of a table begin and end: a checksum stands behind each. */
function blocksOf(index: Uint8Array): [start: number, end: number][] {
  const view = new DataView(index.buffer, index.byteOffset, index.byteLength);
  const blocks: [number, number][] = [];
  for (let start = 0, end = 0; end + 5 <= index.length - 48; end++) {
    if (crc32c(index.subarray(start, end + 1)) !== unmasked(view.getUint32(end + 1, true))) continue;
    blocks.push([start, end]);
    start = end + 5;
    end = start;
  }
  return blocks;
}
