import { type ByteSource, CheckpointError, countSource } from "@ckptkit/core";
import { describe, expect, it } from "vitest";
import { openCheckpoint } from "../src/index.js";
import {
  address,
  type BuiltMessage,
  chunked,
  contiguous,
  dataspace,
  float32,
  float32Type,
  gzip,
  hdf5File,
  link,
  objectHeader,
  structure,
} from "./hdf5-builder.js";
import { concat, fields, text } from "./sparse-source.js";

const codeOf = async (work: Promise<unknown>): Promise<string> => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof CheckpointError) return error.code;
  throw error ?? new Error("it did not fail");
};

/** A file with one dataset at 4096. */
const withDataset = (messages: readonly BuiltMessage[], parts: readonly { at: number; bytes: Uint8Array }[] = [], size?: number) =>
  hdf5File(objectHeader(link("x", 4096)), [{ at: 4096, bytes: objectHeader(...messages) }, ...parts], size);

/** A continuation of an object header. */
const continuation = (at: number, length: number): BuiltMessage => ({ type: 0x10, body: fields([8, at], [8, length]) });

describe("what is said of a dataset", () => {
  it("is read without its bytes, and read right", async () => {
    const values = new Float32Array([1, 2, 3, 4, 5, 6]);
    const source = withDataset([dataspace(2, 3), float32, contiguous(8192, 24)], [{ at: 8192, bytes: new Uint8Array(values.buffer) }]);
    const { tensors, findings } = await openCheckpoint(source);
    expect([tensors[0]?.path, tensors[0]?.shape, findings]).toEqual(["x", [2, 3], []]);
    expect(new Float32Array((await tensors[0]?.read())?.buffer ?? new ArrayBuffer(0))).toEqual(values);
  });

  it("beyond the end of the file is a finding, and an error when it is read", async () => {
    const { tensors, findings } = await openCheckpoint(withDataset([dataspace(1_000_000_000), float32, contiguous(8192, 4_000_000_000)]));
    expect(findings.map(({ rule, at }) => [rule, at])).toEqual([["hdf5-truncated-data", "x"]]);
    expect(await codeOf(tensors[0]?.readInto(new Uint8Array(8)) ?? Promise.resolve())).toBe("HDF5_CORRUPT");
  });

  it.each([
    ["more elements than 2^53", [dataspace(2 ** 40, 2 ** 40), float32, contiguous(8192, 24)]],
    ["fewer bytes than its elements", [dataspace(7), float32, contiguous(8192, 24)]],
    ["no type", [dataspace(7), contiguous(8192, 28)]],
    ["no shape", [float32, contiguous(8192, 28)]],
    ["chunks of other axes", [dataspace(7), float32, chunked([2, 2], 2, fields(), 8192)]],
    ["chunks without elements", [dataspace(7), float32, chunked([0], 2, fields(), 8192)]],
    ["an index of chunks that there is not", [dataspace(7), float32, chunked([2], 9, fields(), 8192)]],
    ["a continuation that leads to itself", [dataspace(7), float32, continuation(4096, 100)]],
    ["a continuation beyond the end", [dataspace(7), float32, continuation(2 ** 50, 100), contiguous(8192, 28)]],
  ])("with %s is a finding, and no tensor", async (_, messages) => {
    const { tensors, findings } = await openCheckpoint(withDataset(messages));
    expect(tensors).toEqual([]);
    expect(findings.map(({ rule, at }) => [rule, at])).toEqual([["hdf5-damaged-object", "x"]]);
  });

  it("that was never written may not stand for terabytes", async () => {
    for (const layout of [contiguous(undefined, 2 ** 44), chunked([2 ** 20], 2, fields(), undefined)]) {
      const { tensors } = await openCheckpoint(withDataset([dataspace(2 ** 42), float32, layout]));
      expect(tensors[0]?.byteLength).toBe(2 ** 44);
      expect(await codeOf(tensors[0]?.readInto(new Uint8Array(8)) ?? Promise.resolve())).toBe("LIMIT_EXCEEDED");
    }
  });

  it("in more chunks than a file could have is an error when it is read", async () => {
    const { tensors } = await openCheckpoint(withDataset([dataspace(2 ** 32), float32, chunked([1], 2, fields(), 8192)]));
    expect(await codeOf(tensors[0]?.readInto(new Uint8Array(8)) ?? Promise.resolve())).toBe("LIMIT_EXCEEDED");
  });

  it("in chunks that reach beyond the end is an error, and nothing is allocated for them", async () => {
    const { tensors } = await openCheckpoint(withDataset([dataspace(2 ** 28), float32, chunked([2 ** 28], 2, fields(), 8192)]));
    expect(await codeOf(tensors[0]?.readInto(new Uint8Array(8)) ?? Promise.resolve())).toBe("HDF5_CORRUPT");
  });

  it("that inflates beyond what DEFLATE can make is refused before it is inflated", async () => {
    const single = fields([8, 10], [4, 0]);
    const messages = [dataspace(2 ** 24), float32, gzip, chunked([2 ** 24], 1, single, 8192)];
    // Bit 1 of the flags: a single chunk with filters.
    const layout = messages[3]?.body ?? new Uint8Array(0);
    layout[2] = 2;
    const { tensors } = await openCheckpoint(withDataset(messages, [{ at: 8192, bytes: new Uint8Array(10) }]));
    expect(await codeOf(tensors[0]?.readInto(new Uint8Array(8)) ?? Promise.resolve())).toMatch(/HDF5_CORRUPT|LIMIT_EXCEEDED/);
  });

  it("that shares its bytes with another is told", async () => {
    const messages = (at: number) => objectHeader(dataspace(4), float32, contiguous(at, 16));
    const root = objectHeader(link("a", 4096), link("b", 5120));
    const parts = [4096, 5120, 8192].map((at, index) => ({ at, bytes: index < 2 ? messages(8192 + 8 * index) : new Uint8Array(24) }));
    const { findings } = await openCheckpoint(hdf5File(root, parts));
    expect(findings.map(({ rule }) => rule)).toEqual(["hdf5-overlap"]);
  });
});

describe("groups", () => {
  it("deeper than the limit are refused", async () => {
    const parts = Array.from({ length: 60 }, (_, depth) => ({
      at: 4096 + depth * 512,
      bytes: objectHeader(link("g", 4096 + (depth + 1) * 512)),
    }));
    expect(await codeOf(openCheckpoint(hdf5File(objectHeader(link("g", 4096)), parts, 65_536), { limits: { treeDepth: 50 } }))).toBe(
      "LIMIT_EXCEEDED",
    );
  });

  it("of more members than the limit are refused", async () => {
    const root = objectHeader(...Array.from({ length: 100 }, (_, index) => link(`m${index}`, 8192)));
    expect(await codeOf(openCheckpoint(hdf5File(root, [], 65_536), { limits: { tensors: 99 } }))).toBe("LIMIT_EXCEEDED");
  });

  it("that lead to each other in every way end at once", async () => {
    const names = Array.from({ length: 20 }, (_, index) => 4096 + index * 2048);
    const header = objectHeader(...names.map((at) => link(`to ${at}`, at)));
    const { tensors, findings } = await openCheckpoint(
      hdf5File(
        header,
        names.map((at) => ({ at, bytes: header })),
      ),
    );
    expect(tensors).toEqual([]);
    expect(findings.length).toBeGreaterThan(50);
    expect(findings.length).toBeLessThan(110);
    expect(new Set(findings.map(({ rule }) => rule))).toEqual(new Set(["hdf5-same-group"]));
  });

  it("whose tree leads in a circle are findings", async () => {
    // A group in a heap whose B-tree's inner node is its own child.
    const header = (root: number) =>
      structure("BTHD", fields([1, 0], [1, 5], [4, 512], [2, 11], [2, 3], [1, 100], [1, 40], [8, root], [2, 1], [8, 1]));
    const node = structure(
      "BTIN",
      fields([1, 0], [1, 5]),
      new Uint8Array(11),
      fields([8, 8192], [1, 1], [2, 1]),
      fields([8, 8192], [1, 1], [2, 1]),
    );
    const heap = structure(
      "FRHP",
      fields([1, 0], [2, 7], [2, 0], [1, 0], [4, 4096], [8, 0]),
      address(undefined),
      fields([8, 0]),
      address(undefined),
      new Uint8Array(64),
      fields([2, 4], [8, 512], [8, 65_536], [2, 32], [2, 1]),
      address(undefined),
      fields([2, 0]),
    );
    const info: BuiltMessage = { type: 2, body: fields([1, 0], [1, 0], [8, 5120], [8, 6144]) };
    const parts = [
      { at: 4096, bytes: objectHeader(info) },
      { at: 5120, bytes: heap },
      { at: 6144, bytes: header(8192) },
      { at: 8192, bytes: node },
    ];
    const { findings } = await openCheckpoint(hdf5File(objectHeader(link("g", 4096)), parts));
    expect(findings.map(({ rule, message }) => [rule, /twice/.test(message)])).toEqual([["hdf5-damaged-object", true]]);
  });
});

describe("attributes", () => {
  const attribute = (type: Uint8Array, space: Uint8Array, data: Uint8Array): BuiltMessage => ({
    type: 12,
    body: concat(fields([1, 3], [1, 0], [2, 2], [2, type.length], [2, space.length], [1, 0]), text("a\0"), type, space, data),
  });

  const damaged = ["hdf5-damaged-attribute"];
  const rulesOf = async (source: ByteSource): Promise<string[]> => (await openCheckpoint(source)).findings.map(({ rule }) => rule);

  it("that declare more values than they have are findings", async () => {
    const root = objectHeader(attribute(float32Type, dataspace(2 ** 40).body, new Uint8Array(8)));
    expect(await rulesOf(hdf5File(root))).toEqual(damaged);
  });

  it("with types that nest without end are findings", async () => {
    const nested = concat(...Array.from({ length: 4000 }, () => fields([1, 0x19], [1, 0], [1, 0], [1, 0], [4, 16])), float32Type);
    expect(await rulesOf(hdf5File(objectHeader(attribute(nested, dataspace().body, new Uint8Array(16)))))).toEqual(damaged);
  });

  it("that name one long value many times do not make it many times as long", async () => {
    const long = 1_000_000;
    const text16 = fields([1, 0x19], [1, 1], [1, 0], [1, 0], [4, 16]);
    const type = concat(text16, fields([1, 0x13], [1, 0], [1, 0], [1, 0], [4, 1]));
    const values = concat(...Array.from({ length: 4000 }, () => fields([4, long], [8, 131_072], [4, 1])));
    const collection = concat(
      text("GCOL"),
      fields([1, 1], [1, 0], [2, 0], [8, long + 48]),
      fields([2, 1], [2, 0], [4, 0], [8, long]),
      new Uint8Array(long).fill(0x61),
    );
    const source = hdf5File(
      objectHeader(attribute(type, dataspace(4000).body, values)),
      [{ at: 131_072, bytes: collection }],
      131_072 + long + 64,
    );
    expect(await codeOf(openCheckpoint(source))).toBe("LIMIT_EXCEEDED");
  });
});

describe("opening a large file", () => {
  const GB = 1e9;
  const LAYERS = 300;

  it("whose objects stand together takes little more than reading them", async () => {
    const headers = Array.from({ length: LAYERS }, (_, index) => ({
      at: 65_536 + index * 256,
      bytes: objectHeader(dataspace(80_000_000), float32, contiguous(200_000 + index * 320_000_000, 320_000_000)),
    }));
    const root = objectHeader(...headers.map(({ at }, index) => link(`layer ${index}`, at)));
    const source = countSource(hdf5File(root, headers, 100 * GB));
    const { tensors, findings } = await openCheckpoint(source);
    expect([tensors.length, findings]).toEqual([LAYERS, []]);
    expect(source.counts.bytesRead).toBeLessThan(400_000);
    expect(source.counts.reads).toBeLessThan(40);
  });

  it("whose objects lie between their values takes one small read for each", async () => {
    const step = 320_008_192;
    const headers = Array.from({ length: LAYERS }, (_, index) => ({
      at: 65_536 + index * step,
      bytes: objectHeader(dataspace(80_000_000), float32, contiguous(65_536 + index * step + 4096, 320_000_000)),
    }));
    const root = objectHeader(...headers.map(({ at }, index) => link(`layer ${index}`, at)));
    const source = countSource(hdf5File(root, headers, 100 * GB));
    expect((await openCheckpoint(source)).tensors).toHaveLength(LAYERS);
    expect(source.counts.reads).toBeLessThan(LAYERS + 20);
    expect(source.counts.bytesRead).toBeLessThan(LAYERS * 8192 + 200_000);
  });
});
