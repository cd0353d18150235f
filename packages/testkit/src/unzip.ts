/**
 * The files of a zip archive that Python's zipfile wrote, by their names: stored or deflated, no ZIP64. For fixtures only, and apart
 * from the reader that is tested.
 */
export async function unzip(bytes: Uint8Array<ArrayBuffer>): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = bytes.length - 22; // without a comment
  let at = view.getUint32(end + 16, true);
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  for (let entry = 0; entry < view.getUint16(end + 10, true); entry++) {
    const nameLength = view.getUint16(at + 28, true);
    const header = view.getUint32(at + 42, true);
    const start = header + 30 + view.getUint16(header + 26, true) + view.getUint16(header + 28, true);
    const stored = bytes.slice(start, start + view.getUint32(at + 20, true));
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    files.set(name, view.getUint16(at + 10, true) === 0 ? stored : await inflated(stored));
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return files;
}

async function inflated(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
