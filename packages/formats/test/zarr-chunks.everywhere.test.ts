import { describe, expect, it } from "vitest";
import { Parts } from "./arrays.js";
import { type FolderFiles, openFolder } from "./folders.js";

const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** A `.zarray` of bytes, unless something else is said. */
const zarray = (shape: readonly number[], chunks: readonly number[], more: object = {}): Uint8Array =>
  json({ zarr_format: 2, shape, chunks, dtype: "|u1", compressor: null, filters: null, fill_value: 0, order: "C", ...more });

async function arrayOf(files: Readonly<Record<string, Uint8Array>>) {
  const folder = openFolder(new Map(Object.entries(files)) as FolderFiles, ".zarray");
  const checkpoint = await folder.checkpoint;
  const [tensor] = checkpoint.tensors;
  if (!tensor) throw new Error(JSON.stringify(checkpoint.findings));
  return { tensor, counts: folder.counts };
}

/** Zstandard of zeros, in blocks that repeat one byte. */
function zeros(byteLength: number): Uint8Array {
  const parts = new Parts().u32(0xfd2fb528).raw(0xa0).u32(byteLength);
  const block = 128 * 1024;
  for (let at = 0; at < byteLength; at += block) {
    const size = Math.min(block, byteLength - at);
    const head = size * 8 + 2 + (at + size === byteLength ? 1 : 0);
    parts.raw(head % 256, Math.floor(head / 256) % 256, Math.floor(head / 65536), 0);
  }
  return parts.bytes;
}

describe("chunks that are not compressed", () => {
  it("are read by range where their rows follow one another", async () => {
    const rows = Uint8Array.from({ length: 2_000_000 }, (_, index) => index % 251);
    const { tensor, counts } = await arrayOf({ ".zarray": zarray([2000, 1000], [2000, 1000]), "0.0": rows });
    const part = new Uint8Array(3000);
    await tensor.readInto(part, 1_000_000);
    expect(part).toEqual(rows.slice(1_000_000, 1_003_000));
    expect(counts.get("0.0")?.bytesRead).toBe(3000);
  });

  it("are read once where they lie side by side", async () => {
    const chunk = new Uint8Array(100).fill(7);
    const { tensor, counts } = await arrayOf({ ".zarray": zarray([10, 20], [10, 10]), "0.0": chunk, "0.1": chunk.slice().fill(9) });
    const all = await tensor.read();
    expect([...all.subarray(5, 15)]).toEqual([7, 7, 7, 7, 7, 9, 9, 9, 9, 9]);
    expect(counts.get("0.0")?.reads).toBe(1);
  });

  it("of another size than their array needs are an error", async () => {
    const { tensor } = await arrayOf({ ".zarray": zarray([10], [10]), "0": new Uint8Array(9) });
    await expect(tensor.read()).rejects.toMatchObject({
      code: "ZARR_CORRUPT",
      message: expect.stringContaining("the chunk has 9 bytes, where its array needs 10"),
    });
  });
});

describe("large compressed chunks", () => {
  const byteLength = 40_000_000;

  it("are decoded in pieces, in order and back again", async () => {
    const { tensor } = await arrayOf({
      ".zarray": zarray([byteLength], [byteLength], { compressor: { id: "zstd" } }),
      "0": zeros(byteLength),
    });
    const piece = new Uint8Array(1_000_000).fill(1);
    for (const start of [0, 1_000_000, byteLength - 1_000_000, 500]) {
      await tensor.readInto(piece.fill(1), start);
      expect(piece.every((byte) => byte === 0)).toBe(true);
    }
  });

  it("that must be whole are held to the limit", async () => {
    const files = { ".zarray": zarray([5000, 5000], [5000, 5000], { compressor: { id: "zstd" }, order: "F" }), "0.0": zeros(25_000_000) };
    const folder = openFolder(new Map(Object.entries(files)), ".zarray", { limits: { inflatedBytes: 1_000_000 } });
    await expect((await folder.checkpoint).tensors[0]?.read()).rejects.toMatchObject({ code: "LIMIT_EXCEEDED" });
  });
});

it("a few bytes of metadata do not stand for a terabyte", async () => {
  const { tensor } = await arrayOf({ ".zarray": zarray([2 ** 40], [2 ** 28]) });
  const piece = new Uint8Array(4096);
  await tensor.readInto(piece, 2 ** 30);
  const far = [2, 3, 4, 5].map((number) => tensor.readInto(piece, number * 2 ** 28 + 2 ** 31));
  await expect(Promise.all(far)).rejects.toMatchObject({ code: "LIMIT_EXCEEDED" });
});

describe("metadata that make no sense are refused", () => {
  it.each([
    ["text", text("{no json"), "ZARR_CORRUPT"],
    ["a list", json([1]), "UNKNOWN_FORMAT"],
    ["a version of the future", json({ zarr_format: 4, shape: [1] }), "ZARR_CORRUPT"],
    ["a negative size", zarray([-1], [1]), "ZARR_CORRUPT"],
    ["chunks of no size", zarray([3], [0]), "ZARR_CORRUPT"],
    ["chunks of other axes", zarray([3, 3], [3]), "ZARR_CORRUPT"],
    ["more elements than there are numbers", zarray([2 ** 40, 2 ** 40], [1, 1]), "TENSOR_OUT_OF_BOUNDS"],
    [
      "more chunks than there are numbers",
      json({ zarr_format: 2, metadata: 5, shape: [2 ** 60], chunks: [1], order: "C", dtype: "|u1" }),
      "ZARR_CORRUPT",
    ],
    ["an order of its own", zarray([3], [3], { order: "K" }), "ZARR_CORRUPT"],
  ])("%s", async (_, bytes, code) => {
    await expect(arrayOf({ ".zarray": bytes })).rejects.toMatchObject({ code });
  });
});

it("keys never lead out of the folder", async () => {
  const seen: string[] = [];
  const consolidated = json({
    zarr_consolidated_format: 1,
    metadata: { "../../etc/.zarray": JSON.parse(new TextDecoder().decode(zarray([4], [4]))) },
  });
  const folder = openFolder(new Map([[".zmetadata", consolidated]]), ".zmetadata", {
    openSibling: async (name) => {
      seen.push(name);
      throw new Error(name);
    },
  });
  const { tensors } = await folder.checkpoint;
  expect(await tensors[0]?.read()).toEqual(new Uint8Array(4));
  expect(seen).toEqual([]);
});
