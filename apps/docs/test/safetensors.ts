/** A safetensors file of F32 tensors with one axis each. @see https://github.com/huggingface/safetensors#format */
export function safetensors(tensors: Readonly<Record<string, readonly number[]>>): Uint8Array<ArrayBuffer> {
  let end = 0;
  const header = Object.fromEntries(
    Object.entries(tensors).map(([name, { length }]) => {
      const begin = end;
      end += 4 * length;
      return [name, { dtype: "F32", shape: [length], data_offsets: [begin, end] }];
    }),
  );
  const json = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  bytes.set(new Uint8Array(Float32Array.from(Object.values(tensors).flat()).buffer), 8 + json.length);
  return bytes;
}
