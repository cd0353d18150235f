import { type Checkpoint, DTYPES, type DType, isDType } from "@ckptkit/core";
import { codeOf, expectSameBytes } from "@ckptkit/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openCheckpoint, SAFETENSORS_DTYPES, type SafetensorsWriteOptions, writeSafetensors } from "../src/index.js";
import { output, type Sample, samples } from "./output-tensors.js";
import { memoryFiles } from "./sinks.js";

const DTYPES_WRITTEN = [...SAFETENSORS_DTYPES].filter(isDType);
const options = (more: Partial<SafetensorsWriteOptions> = {}): SafetensorsWriteOptions => ({
  fileName: "model.safetensors",
  buffer: new Uint8Array(64),
  ...more,
});
const f32 = (name: string, ...values: number[]): Sample => ({
  name,
  dtype: "F32",
  shape: [values.length],
  bytes: new Uint8Array(new Float32Array(values).buffer),
});

async function expectSamples(checkpoint: Checkpoint, expected: readonly Sample[]): Promise<void> {
  const found = new Map(checkpoint.tensors.map((tensor) => [tensor.name, tensor]));
  expect([...found.keys()].sort()).toEqual(expected.map(({ name }) => name).sort());
  for (const { name, dtype, shape, bytes } of expected) {
    const tensor = found.get(name);
    expect([tensor?.dtype, tensor?.shape], name).toEqual([dtype, shape]);
    expectSameBytes(await tensor?.read(), bytes);
  }
}

describe("what is written as safetensors", () => {
  it("is read back: any names, dtypes, shapes and bytes, also by the strict mode", async () => {
    await fc.assert(
      fc.asyncProperty(
        samples(DTYPES_WRITTEN),
        fc.dictionary(fc.string({ maxLength: 9 }), fc.string({ maxLength: 9 })),
        async (all, metadata) => {
          const files = memoryFiles();
          const result = await writeSafetensors(
            all.map((each) => output(each)),
            files.create,
            options({ metadata }),
          );
          const checkpoint = await openCheckpoint(files.source("model.safetensors"), { mode: "strict" });
          await expectSamples(checkpoint, all);
          expect(checkpoint.metadata).toEqual(metadata);
          expect(checkpoint.findings).toEqual([]);
          expect(result.files).toEqual([{ name: "model.safetensors", byteLength: checkpoint.byteLength }]);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("is read back from shards of any size, with an index that agrees", async () => {
    await fc.assert(
      fc.asyncProperty(samples(["F32", "BF16", "I64", "U8"]), fc.integer({ min: 1, max: 400 }), async (all, maxShardBytes) => {
        const files = memoryFiles();
        const result = await writeSafetensors(
          all.map((each) => output(each)),
          files.create,
          options({ maxShardBytes }),
        );
        expect(result.files.map(({ name }) => name)).toEqual(files.visible());
        const [main] = files.visible().filter((name) => files.visible().length === 1 || name.endsWith(".index.json"));
        const checkpoint = await openCheckpoint(files.source(main ?? ""), {
          mode: "strict",
          openSibling: async (name) => files.source(name),
        });
        await expectSamples(checkpoint, all);
        expect(checkpoint.findings).toEqual([]);
        for (const name of files.visible().filter((each) => each.endsWith(".safetensors"))) {
          const shard = await openCheckpoint(files.source(name));
          const bytes = shard.tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);
          expect(bytes <= maxShardBytes || shard.tensors.filter(({ byteLength }) => byteLength > 0).length === 1).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("is named as Hugging Face names shards", async () => {
    const files = memoryFiles();
    await writeSafetensors(
      [f32("a", 1), f32("b", 2), f32("c", 3)].map((each) => output(each)),
      files.create,
      options({ maxShardBytes: 4 }),
    );
    expect(files.visible()).toEqual([
      "model-00001-of-00003.safetensors",
      "model-00002-of-00003.safetensors",
      "model-00003-of-00003.safetensors",
      "model.safetensors.index.json",
    ]);
    const index: unknown = JSON.parse(new TextDecoder().decode(files.sinks.get("model.safetensors.index.json")?.bytes));
    expect(index).toMatchObject({ metadata: { total_size: 12 }, weight_map: { b: "model-00002-of-00003.safetensors" } });
  });

  it("has wide dtypes first, so that every tensor is aligned, and data at a multiple of 8", async () => {
    const all = DTYPES_WRITTEN.map(
      (dtype, index): Sample => ({ name: `t${index}`, dtype, shape: [8], bytes: new Uint8Array(DTYPES[dtype].bits) }),
    );
    const files = memoryFiles();
    await writeSafetensors(
      all.map((each) => output(each)),
      files.create,
      options(),
    );
    const { tensors } = await openCheckpoint(files.source("model.safetensors"));
    for (const { storage, dtype } of tensors) {
      expect((storage?.fileOffset ?? 1) % Math.max(1, Math.floor(DTYPES[dtype as DType].bits / 8)), dtype).toBe(0);
    }
    expect(Math.min(...tensors.map(({ storage }) => storage?.fileOffset ?? 0)) % 8).toBe(0);
  });

  it("holds tied tensors once, and tells the name that was dropped", async () => {
    const files = memoryFiles();
    const head = f32("head", 1, 2);
    const { ties } = await writeSafetensors(
      [output(f32("embedding", 1, 2), "same"), output(head, "same"), output(f32("other", 1, 2))],
      files.create,
      options({ metadata: { format: "pt" } }),
    );
    const { tensors, metadata } = await openCheckpoint(files.source("model.safetensors"));
    expect(tensors.map(({ name }) => name)).toEqual(["embedding", "other"]);
    expect([...ties]).toEqual([["head", "embedding"]]);
    expect(metadata).toEqual({ format: "pt", head: "embedding" });
  });

  it("holds a tied tensor all the same where its name is that of other metadata", async () => {
    const files = memoryFiles();
    await writeSafetensors(
      [output(f32("a", 1), "same"), output(f32("format", 1), "same")],
      files.create,
      options({ metadata: { format: "pt" } }),
    );
    const { tensors, metadata } = await openCheckpoint(files.source("model.safetensors"));
    expect(tensors.map(({ name }) => name)).toEqual(["a", "format"]);
    expect(metadata).toEqual({ format: "pt" });
  });

  it("counts both floats of a pair, where torch counts the pair", async () => {
    const pairs: Sample = { name: "pairs", dtype: "F4_X2", shape: [3, 2], bytes: new Uint8Array([1, 2, 3, 4, 5, 6]) };
    const scalar: Sample = { name: "scalar", dtype: "F4_X2", shape: [], bytes: new Uint8Array([7]) };
    const files = memoryFiles();
    await writeSafetensors([output(pairs), output(scalar)], files.create, options());
    await expectSamples(await openCheckpoint(files.source("model.safetensors")), [
      { ...pairs, dtype: "F4", shape: [3, 4] },
      { ...scalar, dtype: "F4", shape: [2] },
    ]);
  });
});

describe("what safetensors cannot hold is refused, and nothing is left behind", () => {
  const refuse = async (tensors: Parameters<typeof writeSafetensors>[0], more: Partial<SafetensorsWriteOptions> = {}): Promise<string> => {
    const files = memoryFiles();
    const code = await codeOf(writeSafetensors(tensors, files.create, options(more)));
    expect(files.visible()).toEqual([]);
    return code;
  };

  it("dtypes that it does not have", async () => {
    for (const dtype of ["C128", "C32", "QINT8", "QUINT4X2"] as const) {
      const bytes = new Uint8Array(DTYPES[dtype].bits);
      expect(await refuse([output({ name: "x", dtype, shape: [8], bytes })])).toBe("UNSUPPORTED_DTYPE");
    }
  });

  it("names that it cannot hold, and names that stand twice", async () => {
    expect(await refuse([output(f32("__metadata__", 1))])).toBe("NAME_CONFLICT");
    expect(await refuse([output(f32("half \ud800", 1))])).toBe("NAME_CONFLICT");
    expect(await refuse([output(f32("a", 1)), output(f32("a", 2), "b")])).toBe("NAME_CONFLICT");
  });

  it("options that make no sense", async () => {
    for (const maxShardBytes of [0, -1, Number.NaN])
      expect(await refuse([output(f32("a", 1))], { maxShardBytes })).toBe("INVALID_ARGUMENT");
    expect(await refuse([output(f32("a", 1))], { metadata: { k: "\ud800" } })).toBe("INVALID_ARGUMENT");
    expect(await refuse([output(f32("a", 1))], { metadata: { "\ud800": "v" } })).toBe("INVALID_ARGUMENT");
  });

  it("tensors that give other bytes than they declare", async () => {
    expect(await refuse([{ ...output(f32("a", 1)), byteLength: 8, shape: [2] }])).toBe("INVALID_ARGUMENT");
    expect(await refuse([{ ...output(f32("a", 1, 2)), byteLength: 4, shape: [1] }])).toBe("INVALID_ARGUMENT");
    expect(await refuse([{ ...output(f32("a", 1, 2)), shape: [3] }])).toBe("INVALID_ARGUMENT");
  });

  it("half a byte", async () => {
    expect(await refuse([output({ name: "a", dtype: "F4", shape: [3], bytes: new Uint8Array(2) })])).toBe("INVALID_ARGUMENT");
  });
});

describe("a write that fails", () => {
  const all = [f32("a", 1, 2, 3), f32("b", 4, 5), f32("c", 6)].map((each) => output(each));

  it("leaves nothing behind, whichever write it is", async () => {
    const good = memoryFiles();
    await writeSafetensors(all, good.create, options({ maxShardBytes: 12, buffer: new Uint8Array(4) }));
    expect(good.writes).toBeGreaterThan(6);
    for (let failAt = 0; failAt < good.writes; failAt++) {
      const files = memoryFiles(failAt);
      await expect(writeSafetensors(all, files.create, options({ maxShardBytes: 12, buffer: new Uint8Array(4) }))).rejects.toThrow(
        "disk is full",
      );
      expect(files.visible(), `write ${failAt}`).toEqual([]);
    }
  });

  it("leaves nothing behind when it is refused at the last moment, or aborted", async () => {
    const files = memoryFiles();
    const beforeCommit = () => Promise.reject(new Error("the source was damaged"));
    await expect(writeSafetensors(all, files.create, options({ beforeCommit }))).rejects.toThrow("was damaged");
    const controller = new AbortController();
    const onProgress = () => controller.abort(new Error("no longer wanted"));
    await expect(writeSafetensors(all, files.create, options({ signal: controller.signal, onProgress }))).rejects.toThrow(
      "no longer wanted",
    );
    expect(files.visible()).toEqual([]);
  });

  it("leaves nothing behind when a shard cannot be created", async () => {
    const files = memoryFiles();
    const create = (name: string) => (name.includes("00002") ? Promise.reject(new Error("no rights")) : files.create(name));
    await expect(writeSafetensors(all, create, options({ maxShardBytes: 12 }))).rejects.toThrow("no rights");
    expect(files.visible()).toEqual([]);
  });
});

it("a write tells its progress up to the end", async () => {
  const seen: number[] = [];
  const files = memoryFiles();
  const all = [output(f32("a", 1, 2, 3)), output(f32("b", 4))];
  await writeSafetensors(all, files.create, options({ onProgress: ({ done, total }) => seen.push(done / (total ?? 0)) }));
  expect(seen.at(-1)).toBe(1);
  expect(seen).toEqual([...seen].sort());
});
