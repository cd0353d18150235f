import { writeFile } from "node:fs/promises";

/** Values and shape of an F32 tensor. */
export type Floats = readonly [shape: readonly number[], values: readonly number[]];

/** Writes a safetensors file of F32 tensors, by hand: what is tested does not make its own input. */
export async function writeFloats(path: string, tensors: Readonly<Record<string, Floats>>): Promise<string> {
  let at = 0;
  const header = Object.fromEntries(
    Object.entries(tensors).map(([name, [shape, values]]) => {
      const begin = at;
      at += values.length * 4;
      return [name, { dtype: "F32", shape, data_offsets: [begin, at] }];
    }),
  );
  const json = JSON.stringify(header);
  const text = Buffer.from(json + " ".repeat((8 - (Buffer.byteLength(json) % 8)) % 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const data = Object.values(tensors).map(([, values]) => Buffer.from(Float32Array.from(values).buffer));
  await writeFile(path, Buffer.concat([length, text, ...data]));
  return path;
}

/** `count` numbers from `first` on. */
export const numbers = (count: number, first = 1): number[] => Array.from({ length: count }, (_, index) => first + index);
