/**
 * The bytes of a safetensors file with these tensors, in their order.
 *
 * @see https://github.com/huggingface/safetensors#format
 * @example const bytes = plainSafetensors({ w: { dtype: "F32", shape: [2], bytes: new Uint8Array(8) } });
 */
export function plainSafetensors(
  tensors: Readonly<Record<string, { dtype: string; shape: readonly number[]; bytes: Uint8Array }>>,
): Uint8Array<ArrayBuffer> {
  let end = 0;
  const header: Record<string, unknown> = {};
  for (const [name, { dtype, shape, bytes }] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [end, end + bytes.length] };
    end += bytes.length;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const file = new Uint8Array(8 + text.length + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  let at = 8 + text.length;
  for (const { bytes } of Object.values(tensors)) {
    file.set(bytes, at);
    at += bytes.length;
  }
  return file;
}
