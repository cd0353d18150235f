// Large files of random numbers: no zeros that a file system could leave out.
import { closeSync, existsSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";

/** A safetensors file of float32 tensors of random numbers from -1 to 1, written once. */
export function largeSafetensors(folder, name, { tensors: count, tensorBytes }) {
  const path = join(folder, name);
  const header = {};
  for (let i = 0; i < count; i++) {
    header[`layers.${i}.weight`] = { dtype: "F32", shape: [tensorBytes / 4], data_offsets: [i * tensorBytes, (i + 1) * tensorBytes] };
  }
  const json = JSON.stringify(header);
  const text = Buffer.from(json.padEnd(Math.ceil((json.length + 8) / 4096) * 4096 - 8));
  const tensors = Array.from({ length: count }, (_, i) => ({
    start: 8 + text.length + i * tensorBytes,
    end: 8 + text.length + (i + 1) * tensorBytes,
  }));
  if (!existsSync(path)) {
    const size = Buffer.alloc(8);
    size.writeBigUInt64LE(BigInt(text.length));
    const block = new Float32Array(tensorBytes / 4);
    const file = openSync(path, "w");
    for (const bytes of [size, text]) writeSync(file, bytes);
    for (let i = 0; i < count; i++) {
      // New numbers now and then: every block of its own would take longer than the bench.
      if (i % 16 === 0) for (let at = 0; at < block.length; at++) block[at] = Math.random() * 2 - 1;
      writeSync(file, new Uint8Array(block.buffer));
    }
    closeSync(file);
  }
  return { path, tensors, byteLength: count * tensorBytes };
}
