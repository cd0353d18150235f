import { existsSync } from "node:fs";
import type { Platform } from "@ckptkit/core";
import { nodePlatform, openCheckpoint } from "@ckptkit/node";
import { bigSafetensors, type FileServer, fileServer, fixture, readFixture, servedBytes } from "@ckptkit/testkit/node";
import { describe, expect, it, onTestFinished } from "vitest";
import { Catalog, checkConfig, type PipelinePlan, planPipeline } from "../src/index.js";
import { scratch } from "./pipeline-run.js";
import { runStages } from "./run-stages.js";
import { numbers, writeFloats } from "./safetensors-file.js";

const at = scratch();
const VIT = fixture("vit-tiny.ckpt").path;

async function planOf(config: object, platform: Platform = nodePlatform()): Promise<PipelinePlan> {
  const catalog = await Catalog.load();
  return planPipeline(checkConfig(config, catalog), catalog, { platform });
}

/** A platform that notes every range that is read of any file. */
function watched(): { platform: Platform; ranges: () => string[] } {
  const inner = nodePlatform();
  const ranges = new Set<string>();
  const platform: Platform = {
    ...inner,
    async open(uri, options) {
      const source = await inner.open(uri, options);
      return {
        ...source,
        size: source.size,
        name: source.name,
        async read(start, end, readOptions) {
          ranges.add(`${start}-${end}`);
          return source.read(start, end, readOptions);
        },
        async readInto(target, start, readOptions) {
          ranges.add(`${start}-${start + target.length}`);
          target.set(await source.read(start, start + target.length, readOptions));
        },
      };
    },
  };
  return { platform, ranges: () => [...ranges].sort() };
}

const FULL = [
  { source: "local", path: VIT },
  { check: "audit" },
  { check: "finite" },
  { check: "checksum" },
  { loader: "warm_start" },
  { modifier: "freezing", submodulesToFreeze: ["model.head"] },
  { modifier: "quantize" },
  { check: "finite" },
  { sink: "save", path: at("never.safetensors") },
  { sink: "report", path: at("never.md") },
];

describe("a plan", () => {
  it("reads what opening the checkpoint reads, and not a byte more", async () => {
    const opening = watched();
    await (await openCheckpoint(VIT, { platform: opening.platform })).close();
    const planning = watched();
    const plan = await planOf({ stages: FULL }, planning.platform);
    expect(planning.ranges()).toEqual(opening.ranges());
    expect(plan.fits).toBe(true);
    expect(existsSync(at("never.safetensors"))).toBe(false);
    expect(existsSync(at("never.md"))).toBe(false);
  });

  it("tells for each stage whether it is known to go well, and what it would read and write", async () => {
    const { stages } = await planOf({ stages: FULL });
    const size = (await readFixture("vit-tiny.ckpt")).length;
    const tensors = fixture("vit-tiny.ckpt").truth.tensors;
    const bytes = (group?: string) =>
      tensors
        .filter((tensor) => !group || tensor.group === group)
        .reduce((sum, { shape }) => sum + 4 * shape.reduce((a, b) => a * b, 1), 0);
    expect(stages.map(({ name, status, readsBytes, isEstimate }) => [name, status, readsBytes, isEstimate])).toEqual([
      ["LocalSource", "ready", expect.any(Number), false],
      ["AuditCheck", "ready", 0, false],
      // Four scores that ModelCheckpoint keeps are one tensor, which is read once.
      ["FiniteCheck", "reads", bytes() - 3 * 4, true],
      ["ChecksumCheck", "reads", size, true],
      ["WarmStartLoader", "ready", 0, false],
      ["FreezingModifier", "ready", 0, false],
      ["QuantizeModifier", "reads", bytes("model"), true],
      ["FiniteCheck", "reads", expect.any(Number), true],
      ["SaveSink", "reads", expect.any(Number), true],
      ["ReportSink", "ready", 0, false],
    ]);
    expect(stages.at(-2)?.writesBytes).toBeGreaterThanOrEqual(bytes("model"));
    expect(stages.at(-1)?.writesBytes).toBeGreaterThan(0);
  });

  it("expects of a save what it will write: the model's tensors, all tensors only when all are asked for", async () => {
    const planned = async (all: boolean) => {
      const { writesBytes } = await planOf({
        stages: [
          { source: "local", path: VIT },
          { sink: "save", path: at("never.pt"), all },
        ],
      });
      return writesBytes;
    };
    const sizeOf = (group?: string) =>
      fixture("vit-tiny.ckpt")
        .truth.tensors.filter((tensor) => !group || tensor.group === group)
        .reduce((sum, { shape }) => sum + 4 * shape.reduce((a, b) => a * b, 1), 0);
    const weights = await planned(false);
    expect(weights).toBeGreaterThanOrEqual(sizeOf("model"));
    // The optimizer's tensors are twice those of the model.
    expect((await planned(true)) - weights).toBeGreaterThanOrEqual(sizeOf("optimizer"));
  });

  it("takes a moment and some kilobytes for 100 GB", async () => {
    const big = await bigSafetensors({ bytes: 100e9 });
    onTestFinished(() => big.remove());
    const stages = [
      { source: "local", path: big.path },
      { check: "finite" },
      { loader: "cold_start" },
      { modifier: "quantize", dtype: "BF16" },
      { sink: "save", path: at("huge.safetensors") },
    ];
    const plan = await planOf({ stages });
    expect(plan.plannedBytes).toBeLessThan(200_000);
    expect(plan.stages[1]).toMatchObject({ status: "reads", readsBytes: 100e9 });
    // 16-bit: half of the bytes, and the header.
    expect(plan.writesBytes - 50e9).toBeGreaterThan(0);
    expect(plan.writesBytes - 50e9).toBeLessThan(10_000);
  });

  it("says what a save writes, exactly but for what it cannot know", async () => {
    const path = await writeFloats(at("s.safetensors"), { a: [[40_000], numbers(40_000)], b: [[200, 200], numbers(40_000)] });
    const plan = await planOf({
      stages: [
        { source: "local", path },
        { sink: "save", path: at("s-out.safetensors"), include: ["a"] },
      ],
    });
    const { readsBytes, writesBytes } = plan.stages[1] ?? {};
    expect(readsBytes).toBe(160_000);
    expect(writesBytes).toBeGreaterThan(160_000);
    expect(writesBytes).toBeLessThan(160_200);
  });
});

describe("the fit of a loader", () => {
  const model = { "a.w": [[2], [0, 0]], "b.w": [[3], [0, 0, 0]], "c.w": [[1], [0]] } as const;
  const checkpoint = { "a.w": [[2], [1, 2]], "b.w": [[4], numbers(4)], "x.w": [[1], [1]] } as const;

  it("names what is missing, too many and of another shape, when the loader refuses it", async () => {
    const like = await writeFloats(at("fit-model.safetensors"), model);
    const path = await writeFloats(at("fit-ckpt.safetensors"), checkpoint);
    const plan = await planOf({
      model: { like },
      stages: [{ source: "local", path }, { loader: "weights_only", strict: true }, { check: "finite" }],
    });
    expect(plan.fits).toBe(false);
    expect(plan.stages[1]).toMatchObject({
      status: "fails",
      error: { code: "INCOMPATIBLE" },
      fit: {
        missingKeys: ["c.w"],
        unexpectedKeys: ["x.w"],
        shapeMismatches: [{ name: "b.w", expected: [3], found: [4] }],
      },
    });
    expect(plan.stages[2]).toMatchObject({ status: "unreached", readsBytes: 0 });
  });

  it("names what is left out, when the loader accepts that", async () => {
    const like = await writeFloats(at("fit2-model.safetensors"), model);
    const path = await writeFloats(at("fit2-ckpt.safetensors"), checkpoint);
    const plan = await planOf({ model: { like }, stages: [{ source: "local", path }, { loader: "transfer_learning" }] });
    expect(plan.stages[1]).toMatchObject({
      status: "ready",
      fit: {
        loaded: 1,
        tensors: 3,
        missingKeys: ["b.w", "c.w"],
        skipped: { "x.w": "not in the model", "b.w": expect.stringContaining("shape") },
      },
    });
  });

  it("counts what is converted to the model's dtype", async () => {
    const like = await writeFloats(at("fit3.safetensors"), { w: [[2], [0, 0]] });
    const half = at("fit3-half.safetensors");
    await runStages([
      { source: "local", path: like },
      { sink: "save", path: half, dtype: "F16" },
    ]);
    const plan = await planOf({ model: { like }, stages: [{ source: "local", path: half }, { loader: "weights_only" }] });
    expect(plan.stages[1]?.fit).toMatchObject({ loaded: 1, converted: 1 });
  });
});

describe("what is known to fail before a run", () => {
  it("is a file that is not there", async () => {
    const plan = await planOf({ stages: [{ source: "local", path: at("nowhere.ckpt") }, { check: "finite" }] });
    expect(plan.stages.map(({ status, error }) => [status, error?.code])).toEqual([
      ["fails", "NOT_FOUND"],
      ["unreached", undefined],
    ]);
  });

  it("is an output that exists, unless it may be replaced", async () => {
    const path = await writeFloats(at("in.safetensors"), { a: [[1], [1]] });
    const out = await writeFloats(at("out.safetensors"), { a: [[1], [1]] });
    const stages = [
      { source: "local", path },
      { sink: "save", path: out },
    ];
    expect((await planOf({ stages })).stages[1]?.error?.code).toBe("DESTINATION_EXISTS");
    const catalog = await Catalog.load();
    const plan = await planPipeline(checkConfig({ stages }, catalog), catalog, { platform: nodePlatform(), overwrite: true });
    expect(plan.fits).toBe(true);
  });

  it("is a module that is to be frozen and that the model does not have", async () => {
    const stages = [
      { source: "local", path: VIT },
      { loader: "weights_only" },
      { modifier: "freezing", submodulesToFreeze: ["head"], strict: true },
    ];
    expect((await planOf({ stages })).stages[2]?.error?.code).toBe("UNKNOWN_MODULE");
  });

  it("is told for every stage where the run would go on", async () => {
    const path = await writeFloats(at("go.safetensors"), { a: [[40_000], numbers(40_000)] });
    const plan = await planOf({
      continueOnError: true,
      stages: [{ source: "local", path }, { check: "validate", require: ["zzz"] }, { check: "finite" }],
    });
    expect(plan.stages.map(({ status }) => status)).toEqual(["ready", "fails", "reads"]);
    expect(plan.fits).toBe(false);
  });
});

describe("a plan over HTTP", () => {
  const serve = async (): Promise<FileServer> => {
    const server = await fileServer();
    onTestFinished(() => server.close());
    return server;
  };

  it("asks for headers only, also where the run would verify or copy the whole file", async () => {
    const server = await serve();
    const bytes = new Uint8Array(8_000_000);
    const header = new TextEncoder().encode(
      JSON.stringify({ w: { dtype: "F32", shape: [1_999_000], data_offsets: [0, 7_996_000] } }).padEnd(3992),
    );
    new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
    bytes.set(header, 8);
    server.files.set("/big.safetensors", servedBytes(bytes));
    const stages = [
      { source: "http", url: `${server.url}/big.safetensors`, expected_checksum: "0".repeat(64), cacheDir: at("cache") },
      { check: "finite" },
    ];
    const plan = await planOf({ stages });
    expect(plan.stages.map(({ status, error }) => [status, error?.code])).toEqual([
      ["ready", undefined],
      ["reads", undefined],
    ]);
    expect(plan.stages[0]).toMatchObject({ readsBytes: 8_000_000, notes: expect.arrayContaining([expect.stringContaining("whole file")]) });
    expect(server.bytesSent).toBeLessThan(400_000);
    expect(existsSync(at("cache"))).toBe(false);
    for (const { headers } of server.requests) expect(headers.range).toMatch(/^bytes=/);
  });

  it("counts what it read", async () => {
    const server = await serve();
    server.files.set("/vit.ckpt", servedBytes(await readFixture("vit-tiny.ckpt")));
    const plan = await planOf({ stages: [{ source: "uri", uri: `${server.url}/vit.ckpt` }, { check: "audit" }] });
    expect(plan.fits).toBe(true);
    expect(plan.plannedBytes).toBe(server.bytesSent);
  });

  it("tells that a server without ranges sends the whole file", async () => {
    const server = await serve();
    server.files.set("/vit.ckpt", servedBytes(await readFixture("vit-tiny.ckpt"), { ranges: false }));
    const plan = await planOf({ stages: [{ source: "http", url: `${server.url}/vit.ckpt` }, { check: "finite" }] });
    expect(plan.stages[0]?.status).toBe("reads");
    expect(plan.stages[0]?.notes.join(" ")).toContain("knows no ranges");
  });
});

describe("stages that tell their own plan", () => {
  it("are believed", async () => {
    const stage = {
      kind: "check" as const,
      name: "Mine",
      process: () => {
        throw new Error("it must not run");
      },
      plan: () => ({ readsBytes: 5, notes: ["I look at five bytes."] }),
    };
    const { stages } = await planOf({ stages: [{ source: "local", path: VIT }, stage] });
    expect(stages[1]).toMatchObject({ name: "Mine", status: "reads", readsBytes: 5, isEstimate: false, notes: ["I look at five bytes."] });
  });
});
