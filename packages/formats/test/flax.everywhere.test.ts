import { CheckpointError, countSource, getEntry, memorySource } from "@ckptkit/core";
import { loadFixture } from "@ckptkit/testkit/vite";
import { describe, expect, it } from "vitest";
import { flaxReader, openCheckpoint, openCheckpointSync, openFlax } from "../src/index.js";
import { openBytes, Parts } from "./arrays.js";
import { sha256 } from "./truth.js";

interface Truth {
  readonly path: string;
  readonly name: string;
  readonly group: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly byteLength: number;
  readonly sha256: string;
}

const files = (
  JSON.parse(new TextDecoder().decode(await loadFixture("flax.json"))) as {
    files: { file: string; byteLength: number; tensors: Truth[] }[];
  }
).files; // the generator wrote it in this shape

describe.each(files.map((entry) => [entry.file, entry] as const))("%s", (file, { byteLength, tensors: truths }) => {
  it("gives every tensor with the bytes that Flax has", async () => {
    const checkpoint = await openBytes(await loadFixture(file), file);
    expect([checkpoint.format, checkpoint.byteLength, checkpoint.findings]).toEqual(["flax-msgpack", byteLength, []]);
    expect(checkpoint.tensors.map(({ path }) => path).sort()).toEqual(truths.map(({ path }) => path).sort());
    for (const truth of truths) {
      const tensor = checkpoint.tensors.find(({ path }) => path === truth.path);
      if (!tensor) continue;
      expect([tensor.name, tensor.group, tensor.dtype, tensor.shape, tensor.byteLength], truth.path).toEqual([
        truth.name,
        truth.group,
        truth.dtype,
        truth.shape,
        truth.byteLength,
      ]);
      expect(await sha256(await tensor.read()), truth.path).toBe(truth.sha256);
    }
    await checkpoint.close();
  });

  it("opens without waiting", async () => {
    expect(openCheckpointSync(memorySource(await loadFixture(file), file)).tensors).toHaveLength(truths.length);
  });
});

it("gives every value that is no array, and keys that other programs trip over", async () => {
  const { tree, metadata } = await openBytes(await loadFixture("flax-values.msgpack"), "values.msgpack");
  expect(getEntry(tree, "integers")).toMatchObject({
    items: [0, 127, 128, 255, 65535, 65536, 2 ** 32, 2n ** 53n, 2n ** 64n - 1n, -1, -32, -33, -128, -129, -(2 ** 31), -(2n ** 63n)],
  });
  expect(getEntry(tree, "floats")).toMatchObject({ items: [0.5, { kind: "real", value: 1 }, { kind: "real", value: 1e300 }, Infinity] });
  expect(getEntry(tree, "bytes")).toEqual(Uint8Array.of(0, 255));
  expect(metadata).toMatchObject({
    none: null,
    yes: true,
    no: false,
    complex: { $complex: [1, -2] },
    text: "größe 重み",
    long: "x".repeat(300),
    empty: {},
    list: [],
    constructor: 2,
    many: Array.from({ length: 20 }, (_, index) => index),
    nested: [[1, [2, { three: 3 }]]],
  });
  expect(Object.getOwnPropertyDescriptor(metadata, "__proto__")?.value).toEqual({ polluted: 1 });
  expect("polluted" in {}).toBe(false);
});

/** A map of one key, and a value. */
const mapOf = (key: string, value: (parts: Parts) => Parts): Uint8Array<ArrayBuffer> =>
  value(new Parts().raw(0x81, 0xa0 + key.length).text(key)).bytes;

it("passes over the bytes of arrays without reading them", async () => {
  const payload = 3 * 1024 * 1024;
  const array = new Parts().raw(0x93, 0x91, 0xce, 0, 0x30, 0, 0, 0xa5).text("uint8").raw(0xc6, 0, 0x30, 0, 0).bytes;
  const parts = new Parts().raw(0x83);
  const bytes: number[] = [];
  for (const key of ["a", "b", "c"]) bytes.push(0xa1, key.charCodeAt(0), 0xc9, 0, 0x30, 0, array.length, 1, ...array);
  const head = parts.raw(...bytes).bytes;
  // Headers with their payloads between them.
  const one = (head.length - 1) / 3;
  const file = new Uint8Array(1 + 3 * (one + payload));
  file[0] = 0x83;
  for (const index of [0, 1, 2]) file.set(head.subarray(1 + index * one, 1 + (index + 1) * one), 1 + index * (one + payload));
  const counted = countSource(memorySource(file, "big.msgpack"));
  const checkpoint = await openFlax(counted);
  expect(checkpoint.tensors.map(({ name, shape }) => [name, shape])).toEqual(["a", "b", "c"].map((key) => [key, [payload]]));
  expect(counted.counts.bytesRead).toBeLessThan(64 * 1024);
});

it("of equal keys the last value counts, and a finding says so", async () => {
  const bytes = new Parts().raw(0x82, 0xa1).text("a").raw(1, 0xa1).text("a").raw(2).bytes;
  const { metadata, findings } = await openBytes(bytes, "twice.msgpack");
  expect([metadata, findings.map(({ rule, at }) => [rule, at])]).toEqual([{ a: 2 }, [["msgpack-duplicate-key", "a"]]]);
});

it("bytes behind the last value are told, and refused in strict mode", async () => {
  const bytes = mapOf("a", (parts) => parts.raw(1, 0xff, 0xff));
  const { findings } = await openFlax(memorySource(bytes));
  expect(findings.map(({ rule }) => rule)).toEqual(["msgpack-trailing-bytes"]);
  await expect(openFlax(memorySource(bytes), { mode: "strict" })).rejects.toMatchObject({ code: "MSGPACK_CORRUPT" });
});

it("times, other extensions and long byte strings are named by what they are", async () => {
  const time = mapOf("t", (parts) => parts.raw(0xd7, 0xff, 0, 0, 0, 4, 0, 0, 0, 9));
  expect((await openBytes(time)).metadata).toEqual({ t: { $type: "msgpack.Timestamp", $args: [9, 1] } });
  const other = mapOf("x", (parts) => parts.raw(0xd5, 42, 1, 2));
  expect((await openBytes(other)).metadata).toEqual({ x: { $type: "msgpack.ExtType", $args: [42, 2] } });
  const long = new Uint8Array(3 + 5 + 70_000);
  long.set([0x81, 0xa1, 0x62, 0xc6, 0, 1, 0x11, 0x70]);
  expect((await openBytes(long)).metadata).toEqual({ b: { $type: "builtins.bytes", length: 70_000 } });
});

describe("refuses, with a code,", () => {
  const refused: readonly (readonly [string, Uint8Array<ArrayBuffer>, string])[] = [
    ["a byte that begins no value", mapOf("a", (parts) => parts.raw(0xc1)), "MSGPACK_CORRUPT"],
    [
      "a map of more entries than there are bytes",
      new Parts().raw(0xdf, 0x7f, 0xff, 0xff, 0xff, 0xa1).text("a").raw(1).bytes,
      "MSGPACK_CORRUPT",
    ],
    [
      "an array whose bytes do not fit its shape",
      mapOf("a", (parts) => parts.raw(0xc7, 13, 1, 0x93, 0x91, 2, 0xa5).text("int16").raw(0xc4, 2, 0, 0)),
      "MSGPACK_CORRUPT",
    ],
    [
      "an array of a negative size",
      mapOf("a", (parts) => parts.raw(0xc7, 12, 1, 0x93, 0x91, 0xff, 0xa5).text("int16").raw(0xc4, 1, 0)),
      "MSGPACK_CORRUPT",
    ],
    [
      "an array that reaches behind its extension",
      mapOf("a", (parts) => parts.raw(0xc7, 9, 1, 0x93, 0x91, 2, 0xa4).text("int8").raw(0xc4, 2, 0, 0)),
      "MSGPACK_CORRUPT",
    ],
    ["a key that is a list", new Parts().raw(0x81, 0x91, 1, 1).bytes, "MSGPACK_CORRUPT"],
    ["nesting beyond the limit", Uint8Array.of(0x81, 0xa1, 0x61, ...new Array<number>(2000).fill(0x91), 1), "LIMIT_EXCEEDED"],
  ];
  it.each(refused)("%s", async (_, bytes, code) => {
    await expect(openFlax(memorySource(bytes))).rejects.toMatchObject({ code });
  });

  it("values over the limit", async () => {
    const bytes = mapOf("a", (parts) => parts.raw(0xdc, 0, 100, ...new Array<number>(100).fill(7)));
    await expect(openFlax(memorySource(bytes), { limits: { metadataValues: 50 } })).rejects.toMatchObject({ code: "LIMIT_EXCEEDED" });
  });
});

describe("is told from other files by its structure:", () => {
  const matches = (bytes: Uint8Array, name = "file"): boolean => flaxReader.matches({ head: bytes, size: bytes.length, name });

  it.each([
    ["a pickle", Uint8Array.of(0x80, 2, 0x7d, 0x71, 0, 0x2e)],
    ["a list", Uint8Array.of(0x91, 1)],
    ["a map without names", Uint8Array.of(0x81, 1, 2)],
    ["a length that leads out of the file", Uint8Array.of(0x81, 0xa1, 0x61, 0xc6, 0, 1, 0, 0)],
    ["control characters in a name", Uint8Array.of(0x81, 0xa2, 0, 1, 1)],
    ["something behind the last value", Uint8Array.of(0x81, 0xa1, 0x61, 1, 0, 0)],
    ["nothing", new Uint8Array(0)],
  ])("%s is none", (_, bytes) => {
    expect(matches(bytes)).toBe(false);
  });

  it("an empty map is one by its name only", () => {
    expect([matches(Uint8Array.of(0x80), "empty.msgpack"), matches(Uint8Array.of(0x80), "empty")]).toEqual([true, false]);
  });

  it("random bytes are hardly ever one, and never stop the opening of another", async () => {
    let taken = 0;
    for (let seed = 0; seed < 20_000; seed++) {
      const bytes = Uint8Array.from({ length: 200 }, (_, index) => (((seed + 1) * 2654435761 + index * 40503 * (seed + 7)) >>> 11) & 255);
      bytes[0] = 0x81 + (seed % 15);
      if (matches(bytes)) taken++;
    }
    expect(taken).toBeLessThan(20);
  });
});

it("a file that is cut off says where", async () => {
  const bytes = (await loadFixture("flax-model.msgpack")).slice(0, 200);
  const error = await openFlax(memorySource(bytes, "cut.msgpack")).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(CheckpointError);
  expect(error).toMatchObject({ code: "MSGPACK_CORRUPT", message: expect.stringContaining("it ends within") });
  await expect(openCheckpoint(memorySource(bytes, "cut.msgpack"))).rejects.toMatchObject({ code: expect.any(String) });
});
