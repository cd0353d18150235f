import { type Checkpoint, CheckpointError, type Finding, memorySource, withLimits } from "@ckptkit/core";
import { type PickleValue, writePickle } from "@ckptkit/pickle";
import { codeOf, damage, seededRandom } from "@ckptkit/testkit";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { CoverageCheck } from "../src/dcp/coverage.js";
import { ChunkRuns } from "../src/dcp/geometry.js";
import { openDcp } from "../src/index.js";
import { familyFiles, familyFixtures, openFiles } from "./torch-family.js";
import { call, dict, global, list, tensor, torchZip, tuple } from "./torch-file.js";

const META = "torch.distributed.checkpoint.metadata";

/** An object of a dataclass. */
const made = (name: string, state: PickleValue): PickleValue => ({ ...call(name), via: "NEWOBJ", states: [state] });
const size = (...sizes: number[]): PickleValue => call("torch.Size", tuple(...sizes));

interface Box {
  offsets: readonly number[];
  sizes: readonly number[];
  file?: string;
}

/** Saves float32 tensors in boxes, one file a box unless told otherwise. Each element is its own index in the tensor. */
async function checkpointOf(
  tensors: Readonly<Record<string, { shape: readonly number[]; boxes: readonly Box[] }>>,
  planner: PickleValue = dict({}),
): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  const items: [PickleValue, PickleValue][] = [];
  const places: [PickleValue, PickleValue][] = [];
  for (const [name, { shape, boxes }] of Object.entries(tensors)) {
    const properties = made(`${META}.TensorProperties`, tuple(global("torch.float32"), global("torch.strided"), false, 0, false));
    const chunks = boxes.map(({ offsets, sizes }) =>
      made(`${META}.ChunkStorageMetadata`, dict({ offsets: size(...offsets), sizes: size(...sizes) })),
    );
    items.push([name, made(`${META}.TensorStorageMetadata`, dict({ properties, size: size(...shape), chunks: list(...chunks) }))]);
    for (const [index, box] of boxes.entries()) {
      const values = new Float32Array(indicesOf(shape, box));
      const strides = box.sizes.map((_, axis) => box.sizes.slice(axis + 1).reduce((product, one) => product * one, 1));
      const saved = tensor({ count: values.length, size: tuple(...box.sizes), stride: tuple(...strides) });
      const source = torchZip(saved, { 0: new Uint8Array(values.buffer) });
      const bytes = await source.read(0, source.size);
      const file = box.file ?? `${name}_${index}.distcp`;
      if (!files.has(file)) files.set(file, bytes);
      const info = dict({ relative_path: file, offset: 0, length: bytes.length });
      places.push([
        made(`${META}.MetadataIndex`, dict({ fqn: name, offset: size(...box.offsets), index })),
        made("torch.distributed.checkpoint.filesystem._StorageInfo", info),
      ]);
    }
  }
  const state = { state_dict_metadata: dict(items), planner_data: planner, storage_data: dict(places) };
  files.set(".metadata", writePickle(made(`${META}.Metadata`, dict(state))));
  return files;
}

/** The row-major indices of a box's elements in a tensor. */
function indicesOf(shape: readonly number[], { offsets, sizes }: Box): number[] {
  let indices = [0];
  for (const [axis, whole] of shape.entries()) {
    const steps = Array.from({ length: sizes[axis] ?? 0 }, (_, step) => (offsets[axis] ?? 0) + step);
    indices = indices.flatMap((index) => steps.map((step) => index * whole + step));
  }
  return indices;
}

/** Runs what may fail with an error that has a code, and with no other. */
async function expectCoded(label: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof CheckpointError) || error.code === "INTERNAL") throw new Error(label, { cause: error });
  }
}

const rulesOf = ({ findings }: Checkpoint): string[] => findings.map(({ rule }) => rule);

/** Cuts each axis at random places: boxes that fill a shape. */
const cutShape = fc
  .array(fc.record({ whole: fc.integer({ min: 1, max: 6 }), cuts: fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 2 }) }), {
    maxLength: 4,
  })
  .map((axes) => {
    let boxes: Box[] = [{ offsets: [], sizes: [] }];
    for (const { whole, cuts } of axes) {
      const borders = [...new Set([0, ...cuts.filter((cut) => cut < whole), whole])].sort((a, b) => a - b);
      const spans = borders.slice(1).map((end, index) => [borders[index] ?? 0, end] as const);
      boxes = boxes.flatMap(({ offsets, sizes }) =>
        spans.map(([start, end]) => ({ offsets: [...offsets, start], sizes: [...sizes, end - start] })),
      );
    }
    return { shape: axes.map(({ whole }) => whole), boxes };
  });

describe("chunks of a tensor", () => {
  it("make the whole of it, whatever way it was cut, and any part of it", async () => {
    await fc.assert(
      fc.asyncProperty(cutShape, fc.integer({ min: 0, max: 1 << 20 }), fc.boolean(), async (cut, seed, backwards) => {
        const files = await checkpointOf({ w: { ...cut, boxes: backwards ? [...cut.boxes].reverse() : cut.boxes } });
        const checkpoint = await openFiles(".metadata", files).checkpoint;
        expect(rulesOf(checkpoint)).toEqual([]);
        const [w] = checkpoint.tensors;
        const expected = new Uint8Array(Float32Array.from({ length: (w?.byteLength ?? 0) / 4 }, (_, index) => index).buffer);
        expect(await w?.read()).toEqual(expected);
        const random = seededRandom(seed);
        const start = random.integer(expected.length + 1);
        const part = new Uint8Array(random.integer(expected.length - start + 1));
        await w?.storage?.readInto(part, start); // not at the borders of elements
        expect(part).toEqual(expected.slice(start, start + part.length));
      }),
      { numRuns: 60 },
    );
  });

  it("lie in runs that are found in a tensor of petabytes as quickly as in a small one", () => {
    const shape = [2 ** 20, 2 ** 12, 2 ** 10];
    const runs = new ChunkRuns(shape, { offsets: [5, 1024, 0], sizes: [2 ** 19, 1024, 1024] }, 2);
    expect([runs.runBytes, runs.count]).toEqual([1024 * 1024 * 2, 2 ** 19]);
    expect(runs.startOf(2 ** 19 - 1)).toBe(((5 + 2 ** 19 - 1) * 2 ** 12 + 1024) * 2 ** 10 * 2);
    expect(runs.firstAfter(runs.startOf(77))).toBe(77);
    expect(runs.firstFrom(runs.startOf(77) + 1)).toBe(78);
    expect(runs.firstAfter(Number.MAX_SAFE_INTEGER)).toBe(runs.count);
  });

  it("that leave a hole are told, and reading it is an error", async () => {
    const files = await checkpointOf({
      w: {
        shape: [4, 2],
        boxes: [
          { offsets: [0, 0], sizes: [2, 2] },
          { offsets: [3, 0], sizes: [1, 2] },
        ],
      },
    });
    const checkpoint = await openFiles(".metadata", files).checkpoint;
    expect(rulesOf(checkpoint)).toEqual(["dcp-hole"]);
    const [w] = checkpoint.tensors;
    expect(await codeOf(w?.read() ?? Promise.resolve())).toBe("TORCH_STORAGE_MISSING");
    const intact = new Uint8Array(16);
    await w?.readInto(intact);
    expect([...new Float32Array(intact.buffer)]).toEqual([0, 1, 2, 3]);
  });

  it("that overlap are told, and the later one counts", async () => {
    const boxes = [
      { offsets: [0], sizes: [3] },
      { offsets: [2], sizes: [2] },
    ];
    const checkpoint = await openFiles(".metadata", await checkpointOf({ w: { shape: [4], boxes } })).checkpoint;
    expect(rulesOf(checkpoint)).toEqual(["dcp-overlap"]);
    expect([...new Float32Array((await checkpoint.tensors[0]?.read())?.buffer ?? new ArrayBuffer(0))]).toEqual([0, 1, 2, 3]);
    const gap = [
      { offsets: [0], sizes: [3] },
      { offsets: [1], sizes: [2] },
    ];
    const holed = await openFiles(".metadata", await checkpointOf({ w: { shape: [4], boxes: gap } })).checkpoint;
    expect(await codeOf(holed.tensors[0]?.read() ?? Promise.resolve())).toBe("TORCH_STORAGE_MISSING");
  });

  it("that reach out of their tensor are told and left out", async () => {
    const boxes = [
      { offsets: [0], sizes: [4] },
      { offsets: [3], sizes: [2] },
    ];
    const checkpoint = await openFiles(".metadata", await checkpointOf({ w: { shape: [4], boxes } })).checkpoint;
    expect(rulesOf(checkpoint)).toEqual(["dcp-chunk-bounds"]);
    expect((await checkpoint.tensors[0]?.read())?.length).toBe(16);
  });

  it("that are not what the metadata say are refused when they are read", async () => {
    const files = await checkpointOf({
      a: { shape: [2, 3], boxes: [{ offsets: [0, 0], sizes: [2, 3] }] },
      b: { shape: [3, 2], boxes: [{ offsets: [0, 0], sizes: [3, 2] }] },
    });
    const other = files.get("b_0.distcp") ?? new Uint8Array(0);
    const checkpoint = await openFiles(".metadata", new Map([...files, ["a_0.distcp", other]])).checkpoint;
    expect(await codeOf(checkpoint.tensors[0]?.read() ?? Promise.resolve())).toBe("TORCH_CORRUPT");
  });

  it("of which there are very many are checked in bounded time, and taken to overlap after that", () => {
    const chunks = Array.from({ length: 60 }, (_, index) => ({ offsets: [0, index], sizes: [1, 1], place: undefined }));
    const findings: Finding[] = [];
    const tensor = { name: "w", dtype: "F32" as const, shape: [1, 60], requiresGrad: false, chunks };
    expect(new CoverageCheck(withLimits()).of(tensor, findings).disjoint).toBe(true);
    expect(new CoverageCheck(withLimits({ treeVisits: 50 })).of(tensor, findings).disjoint).toBe(false);
    expect(findings.map(({ rule }) => rule)).toEqual(["tree-budget"]);
  });
});

describe("a distributed checkpoint", () => {
  const whole = { shape: [2], boxes: [{ offsets: [0], sizes: [2] }] };

  it("without its files still tells what it holds", async () => {
    const files = await checkpointOf({ a: whole, b: whole });
    files.delete("b_0.distcp");
    const checkpoint = await openFiles(".metadata", files).checkpoint;
    expect(checkpoint.findings).toMatchObject([{ rule: "dcp-missing-file", at: "b_0.distcp" }]);
    expect(checkpoint.tensors.map(({ path }) => path)).toEqual(["a", "b"]);
    expect((await checkpoint.tensors[0]?.read())?.length).toBe(8);
    expect(await codeOf(checkpoint.tensors[1]?.read() ?? Promise.resolve())).toBe("TORCH_STORAGE_MISSING");
  });

  it("whose files are cut off says so", async () => {
    const files = await checkpointOf({ a: whole });
    files.set("a_0.distcp", files.get("a_0.distcp")?.slice(0, 100) ?? new Uint8Array(0));
    const checkpoint = await openFiles(".metadata", files).checkpoint;
    expect(rulesOf(checkpoint)).toEqual(["dcp-truncated-file"]);
    expect(await codeOf(checkpoint.tensors[0]?.read() ?? Promise.resolve())).toBe("TORCH_CORRUPT");
  });

  it("is nested as its planner says, and flat where that cannot be", async () => {
    const planner = dict({ a: tuple("model", "x", 1), b: tuple("model", "x", 0), c: tuple("model"), d: tuple("opt", 7) });
    const checkpoint = await openFiles(".metadata", await checkpointOf({ a: whole, b: whole, c: whole, d: whole }, planner)).checkpoint;
    expect(checkpoint.tensors.map(({ path }) => path)).toEqual(["model.x.0", "model.x.1", "c", "opt.7"]);
    expect(rulesOf(checkpoint)).toEqual(["dcp-planner-data"]);
  });

  it("that names files elsewhere is refused before any is opened", async () => {
    for (const file of ["../secret", "/etc/passwd", "a/../../b", "https://example.org/x"]) {
      const files = await checkpointOf({ a: { shape: [2], boxes: [{ offsets: [0], sizes: [2], file }] } });
      const { checkpoint, counts } = openFiles(".metadata", files);
      expect(await codeOf(checkpoint)).toBe("TORCH_CORRUPT");
      expect([...counts.keys()]).toEqual([".metadata"]);
    }
  });

  it("needs a way to open its files", async () => {
    const files = await checkpointOf({ a: whole });
    expect(await codeOf(openDcp(memorySource(files.get(".metadata") ?? new Uint8Array(0), ".metadata")))).toBe("INVALID_ARGUMENT");
  });
});

describe("the checkpoint of four processes", () => {
  let files: Map<string, Uint8Array>;
  beforeAll(async () => {
    const entry = (await familyFixtures()).find(({ file }) => file === "dcp-mesh.metadata");
    if (!entry) throw new Error("The fixture is missing.");
    files = await familyFiles(entry);
  });

  it("opens from its metadata and its values alone", async () => {
    const { checkpoint, counts } = openFiles(".metadata", files);
    const { tensors } = await checkpoint;
    // The values that are no tensors stand side by side in one file.
    const read = [...counts]
      .filter(([name]) => name !== ".metadata")
      .map(
        ([
          ,
          {
            counts: { reads },
          },
        ]) => reads,
      );
    expect(read.reduce((sum, reads) => sum + reads, 0)).toBe(1);
    const rows = tensors.find(({ path }) => path === "model.rows");
    await rows?.readInto(new Uint8Array(24)); // the first row: of one chunk
    const touched = [...counts]
      .filter(([name]) => name !== ".metadata")
      .map(
        ([
          ,
          {
            counts: { reads },
          },
        ]) => reads,
      );
    expect(touched.reduce((sum, reads) => sum + reads, 0)).toBe(2);
  });

  it("damaged anywhere gives a coded error, a finding, or tensors", async () => {
    const names = [...files.keys()];
    for (let seed = 0; seed < 300; seed++) {
      const name = names[seed % names.length] ?? ".metadata";
      const { bytes, description } = damage(files.get(name) ?? new Uint8Array(0), seed);
      const damaged = new Map([...files, [name, bytes]]);
      const label = `${name}, ${description}`;
      await expectCoded(label, async () => {
        const { tensors } = await openFiles(".metadata", damaged).checkpoint;
        for (const one of tensors) {
          if (one.byteLength > 1e6) continue;
          await expectCoded(label, async () => expect((await one.read()).length, label).toBe(one.byteLength));
        }
      });
    }
  });
});
