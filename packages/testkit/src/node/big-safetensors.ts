import { type BigFile, type BigOptions, firstValue, planBig, temporaryFile, writeSparse } from "./sparse-file.js";

/**
 * A valid safetensors file of any size, as a sparse file: 100 GB take a few kilobytes and milliseconds. All weights are 0 but the
 * first of each tensor, which is its index + 0.5.
 *
 * @see https://github.com/huggingface/safetensors#format
 * @example const big = await bigSafetensors({ bytes: 100e9 }); try { ... } finally { await big.remove(); }
 */
export async function bigSafetensors(options: BigOptions): Promise<BigFile> {
  const { names, elements, tensorBytes } = planBig(options);
  const offsets = (index: number): [number, number] => [index * tensorBytes, (index + 1) * tensorBytes];
  const header = Object.fromEntries(names.map((name, index) => [name, { dtype: "F32", shape: [elements], data_offsets: offsets(index) }]));
  const json = JSON.stringify(header);
  const text = new TextEncoder().encode(json.padEnd(Math.ceil(json.length / 8) * 8));
  const length = new Uint8Array(new BigUint64Array([BigInt(text.length)]).buffer);
  const data = 8 + text.length;
  const size = data + names.length * tensorBytes;
  const { path, remove } = await temporaryFile("big.safetensors");
  await writeSparse(path, size, [
    { at: 0, bytes: length },
    { at: 8, bytes: text },
    ...names.map((_, index) => ({ at: data + index * tensorBytes, bytes: firstValue(index) })),
  ]);
  return { path, size, tensors: names, shape: [elements], remove };
}
