import { type ByteSource, type Checkpoint, CheckpointError, CheckpointNotFoundError, memorySource, type OpenOptions } from "@ckptkit/core";
import { codeOf, type FaultySource, faultySource } from "@ckptkit/testkit";
import { describe, expect, it } from "vitest";
import { openCheckpoint, openShardedSafetensors } from "../src/index.js";
import { safetensorsFile } from "./safetensors-headers.js";
import { text } from "./sparse-source.js";

/** A shard with one-byte tensors of these names. */
const shard = (...names: string[]): Uint8Array => {
  const entries = names.map((name, index) => [name, { dtype: "U8", shape: [1], data_offsets: [index, index + 1] }]);
  return safetensorsFile(JSON.stringify(Object.fromEntries(entries)), names.length);
};

const SHARDS: Readonly<Record<string, Uint8Array>> = { "one.safetensors": shard("a", "b"), "two.safetensors": shard("c") };
const WEIGHTS = { c: "two.safetensors", a: "one.safetensors", b: "one.safetensors" };

/** Opens an index beside some shards; tells which sources were opened. */
function openWith(
  index: unknown,
  shards: Readonly<Record<string, Uint8Array>> = SHARDS,
  options: OpenOptions = {},
): { checkpoint: Promise<Checkpoint>; opened: Map<string, FaultySource> } {
  const opened = new Map<string, FaultySource>();
  const open = (name: string, bytes: Uint8Array): ByteSource => {
    const source = faultySource(memorySource(bytes, name));
    opened.set(name, source);
    return source;
  };
  const openSibling = async (name: string): Promise<ByteSource> => {
    const bytes = Object.hasOwn(shards, name) ? shards[name] : undefined;
    if (!bytes) throw new CheckpointNotFoundError("NOT_FOUND", `There is no ${name}.`);
    return open(name, bytes);
  };
  const bytes = typeof index === "string" ? text(index) : text(JSON.stringify(index));
  return { checkpoint: openCheckpoint(open("model.safetensors.index.json", bytes), { openSibling, ...options }), opened };
}

const codeWith = (index: unknown, shards?: Readonly<Record<string, Uint8Array>>, options?: OpenOptions): Promise<string> =>
  codeOf(openWith(index, shards, options).checkpoint);

describe("a sharded checkpoint", () => {
  it("has the tensors of all shards, in the order of its index", async () => {
    const { checkpoint, opened } = openWith({ metadata: { total_size: 3, note: "x" }, weight_map: WEIGHTS });
    const { tensors, byteLength, findings, metadata, format, close } = await checkpoint;
    expect(tensors.map(({ name }) => name)).toEqual(["c", "a", "b"]);
    expect([format, findings, metadata]).toEqual(["safetensors-sharded", [], { note: "x" }]);
    expect(byteLength).toBe([...opened.values()].reduce((sum, { size }) => sum + size, 0));
    await close();
    expect([...opened.values()].map(({ closed }) => closed)).toEqual([true, true, true]);
  });

  it("is told by its content, whatever its name", async () => {
    const source = memorySource(text(JSON.stringify({ metadata: {}, weight_map: {} })), "renamed");
    expect((await openCheckpoint(source, { openSibling: () => Promise.reject(new Error("none")) })).format).toBe("safetensors-sharded");
  });

  it("with a total_size that is not the tensors' says so", async () => {
    const { checkpoint } = openWith({ metadata: { total_size: 4.0 }, weight_map: WEIGHTS });
    expect((await checkpoint).findings.map(({ rule }) => rule)).toEqual(["safetensors-index-total-size"]);
  });

  it("tells which shard a finding is of", async () => {
    const odd = { ...SHARDS, "two.safetensors": safetensorsFile(' {"c":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1) };
    expect((await openWith({ weight_map: WEIGHTS }, odd).checkpoint).findings).toMatchObject([
      { rule: "safetensors-leading-space", at: "two.safetensors" },
    ]);
    expect(await codeWith({ weight_map: WEIGHTS }, odd, { mode: "strict" })).toBe("SAFETENSORS_HEADER");
  });
});

describe("an index and shards that do not agree are refused", () => {
  it.each<readonly [string, unknown, Readonly<Record<string, Uint8Array>>]>([
    ["a shard that is missing", { weight_map: { ...WEIGHTS, d: "three.safetensors" } }, SHARDS],
    ["a tensor that no shard holds", { weight_map: { ...WEIGHTS, d: "two.safetensors" } }, SHARDS],
    ["a tensor that the index does not name", { weight_map: { a: "one.safetensors", c: "two.safetensors" } }, SHARDS],
    ["a tensor in another shard than said", { weight_map: { ...WEIGHTS, c: "one.safetensors", a: "two.safetensors" } }, SHARDS],
    [
      "one shard under two names",
      { weight_map: { ...WEIGHTS, c: "copy.safetensors" } },
      { ...SHARDS, "copy.safetensors": shard("c", "a") },
    ],
    ["a tensor in two shards", { weight_map: WEIGHTS }, { ...SHARDS, "two.safetensors": shard("c", "a") }],
  ])("%s", async (_, index, shards) => {
    const { checkpoint, opened } = openWith(index, shards);
    expect(await codeOf(checkpoint)).toBe("SAFETENSORS_INDEX");
    expect([...opened.values()].every(({ closed }) => closed)).toBe(true);
  });
});

describe("names of shards that lead elsewhere are refused before anything is opened", () => {
  it.each([
    "../one.safetensors",
    "a/../../one.safetensors",
    "/etc/one.safetensors",
    "..\\one.safetensors",
    "C:one.safetensors",
    "https://example.org/one.safetensors",
    "a//one.safetensors",
    "./one.safetensors",
    "%2e%2e/one.safetensors",
    "one.safetensors?x=.safetensors",
    "one#.safetensors",
    "one\u0000.safetensors",
    "",
  ])("%j", async (file) => {
    const { checkpoint, opened } = openWith({ weight_map: { a: file } });
    expect(await codeOf(checkpoint)).toBe("SAFETENSORS_INDEX");
    expect([...opened.keys()]).toEqual(["model.safetensors.index.json"]);
  });

  it("but a folder beside the index may hold them", async () => {
    const { checkpoint } = openWith({ weight_map: { c: "parts/two.safetensors" } }, { "parts/two.safetensors": shard("c") });
    expect((await checkpoint).tensors.length).toBe(1);
  });
});

describe("an index that is malformed is refused", () => {
  it.each<readonly [string, string, string]>([
    ["no JSON", '{"weight_map": ', "SAFETENSORS_INDEX"],
    ["a byte order mark", '\ufeff{"weight_map": {}}', "SAFETENSORS_INDEX"],
    ["no weight_map", "{}", "SAFETENSORS_INDEX"],
    ["a weight_map that is a list", '{"weight_map": []}', "SAFETENSORS_INDEX"],
    ["a file name that is a number", '{"weight_map": {"a": 1}}', "SAFETENSORS_INDEX"],
    ["shards of another format", '{"weight_map": {"a": "model-00001-of-00002.gguf"}}', "UNSUPPORTED_FORMAT"],
    ["shards of torch that are not there", '{"weight_map": {"a": "pytorch_model-00001-of-00002.bin"}}', "TORCH_INDEX"],
    ["deep nesting", `{"weight_map": {}, "x": ${"[".repeat(10_000)}}`, "SAFETENSORS_INDEX"],
  ])("%s", async (_, index, code) => {
    expect(await codeWith(index)).toBe(code);
  });

  it("a tensor that is named twice is a finding, and an error when strict", async () => {
    const index = '{"weight_map": {"c": "one.safetensors", "c": "two.safetensors"}}';
    const { findings } = await openWith(index, { "two.safetensors": shard("c") }).checkpoint;
    expect(findings.map(({ rule }) => rule)).toEqual(["safetensors-duplicate-key"]);
    expect(await codeWith(index, SHARDS, { mode: "strict" })).toBe("SAFETENSORS_INDEX");
  });

  it("an index without a way to open its shards is an error of the caller", async () => {
    const source = memorySource(text(JSON.stringify({ weight_map: WEIGHTS })), "model.safetensors.index.json");
    expect(await codeOf(openShardedSafetensors(source))).toBe("INVALID_ARGUMENT");
  });

  it("a failure to open a shard is passed on, after the others have been closed", async () => {
    const opened: FaultySource[] = [];
    const openSibling = async (name: string): Promise<ByteSource> => {
      if (name === "one.safetensors") throw new CheckpointError("ACCESS_DENIED", "No.");
      await new Promise((resolve) => setTimeout(resolve, 20)); // on its way when the other has failed
      const source = faultySource(memorySource(SHARDS[name] ?? new Uint8Array(0), name));
      opened.push(source);
      return source;
    };
    const index = memorySource(text(JSON.stringify({ weight_map: WEIGHTS })), "model.safetensors.index.json");
    expect(await codeOf(openCheckpoint(index, { openSibling }))).toBe("ACCESS_DENIED");
    expect(opened.map(({ closed }) => closed)).toEqual([true]);
  });
});
