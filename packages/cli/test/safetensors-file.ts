import { writeFile } from "node:fs/promises";

/** Writes a safetensors file of F32 tensors. */
export async function writeFloats(path: string, tensors: Readonly<Record<string, readonly number[]>>): Promise<void> {
  let at = 0;
  const header = Object.fromEntries(
    Object.entries(tensors).map(([name, values]) => {
      const begin = at;
      at += values.length * 4;
      return [name, { dtype: "F32", shape: [values.length], data_offsets: [begin, at] }];
    }),
  );
  const json = JSON.stringify(header);
  const text = Buffer.from(json + " ".repeat((8 - (Buffer.byteLength(json) % 8)) % 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const data = Object.values(tensors).map((values) => Buffer.from(Float32Array.from(values).buffer));
  await writeFile(path, Buffer.concat([length, text, ...data]));
}
