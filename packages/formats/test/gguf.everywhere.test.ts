import { CheckpointSourceError, countSource, decodedTensor, memorySource } from "@ckptkit/core";
import { loadFixture } from "@ckptkit/testkit/vite";
import { describe, expect, it } from "vitest";
import { openGguf } from "../src/gguf/index.js";
import { openBytes, Parts } from "./arrays.js";

const head = (tensors: number | bigint, values: number | bigint, version = 3): Parts =>
  new Parts().text("GGUF").u32(version).u64(tensors, values);

/** A tensor's description: sizes fastest first. */
const tensor = (parts: Parts, name: string, sizes: (number | bigint)[], type: number, offset: number | bigint): Parts =>
  parts
    .string(name)
    .u32(sizes.length)
    .u64(...sizes)
    .u32(type)
    .u64(offset);

/** Two tensors of 8 F32 each, the second at `second`. */
const two = (second: number): Uint8Array<ArrayBuffer> => {
  const parts = tensor(tensor(head(2, 0), "a", [8], 0, 0), "b", [8], 0, second).padTo(32);
  return parts.raw(...new Uint8Array(Math.max(64, second + 32))).bytes;
};

describe("GGUF", () => {
  it("of version 1 has lengths of 4 bytes", async () => {
    const key = "general.name";
    const parts = new Parts().text("GGUF").u32(1, 1, 2).u32(key.length).text(key).u32(8, 4).text("tiny");
    parts.u32(1).text("x").u32(9, 4, 3).u32(7, 8, 9);
    parts
      .u32(3)
      .text("w.b")
      .u32(2, 3, 2, 0)
      .u64(0)
      .padTo(32)
      .u32(...[1, 2, 3, 4, 5, 6]);
    const { metadata, tensors } = await openBytes(parts.bytes);
    expect(metadata).toEqual({ "general.name": "tiny", x: [7, 8, 9] });
    expect(tensors.map(({ path, dtype, shape }) => [path, dtype, shape])).toEqual([["w.b", "F32", [2, 3]]]);
    expect((await tensors[0]?.read())?.[20]).toBe(6);
  });

  it("is opened by its description, however large the data is", async () => {
    const bytes = tensor(head(1, 0), "w", [1024, 1024], 0, 0).padTo(32).bytes;
    const all = new Uint8Array(bytes.length + 4 * 1024 * 1024);
    all.set(bytes);
    const source = countSource(memorySource(all, "big.gguf"));
    const { tensors } = await openGguf(source);
    expect(tensors[0]?.byteLength).toBe(4 * 1024 * 1024);
    expect([source.counts.reads, source.counts.bytesRead <= 65536]).toEqual([1, true]);
  });

  it.each<[string, Uint8Array<ArrayBuffer>, string, RegExp]>([
    ["only a magic number", new Parts().text("GGUF").bytes, "GGUF_CORRUPT", /ends within its version/],
    ["a version to come", head(0, 0, 4).bytes, "UNSUPPORTED_FORMAT", /version 4; 1, 2 and 3/],
    ["absurd counts", head(2n ** 64n - 1n, 2n ** 64n - 1n).bytes, "GGUF_CORRUPT", /number of tensors is 18446744073709551615/],
    [
      "counts beyond the file",
      head(1000, 1000).bytes,
      "GGUF_CORRUPT",
      /declares 1000 tensors and 1000 metadata values, and 0 bytes follow/,
    ],
    ["counts beyond the limit", head(2 ** 40, 0).bytes, "LIMIT_EXCEEDED", /limit "tensors"/],
    [
      "a long key",
      head(0, 1)
        .u64(2 ** 48)
        .u32(0, 0).bytes,
      "GGUF_CORRUPT",
      /needs 281474976710656 bytes/,
    ],
    [
      "a long array",
      head(0, 1)
        .string("k")
        .u32(9, 4)
        .u64(2 ** 32).bytes,
      "GGUF_CORRUPT",
      /declares 4294967296 values of uint32, and 0 bytes/,
    ],
    ["an unknown kind of value", head(0, 1).string("k").u32(13, 0, 0).bytes, "GGUF_CORRUPT", /unknown type 13/],
    ["arrays in arrays without end", nested(100), "GGUF_CORRUPT", /arrays in arrays/],
    ["an odd alignment", head(0, 1).string("general.alignment").u32(4, 48).bytes, "GGUF_CORRUPT", /alignment is 48/],
    ["five axes", tensor(head(1, 0), "t", [1, 1, 1, 1, 1], 0, 0).bytes, "GGUF_CORRUPT", /5 axes/],
    ["sizes beyond counting", tensor(head(1, 0), "t", [2n ** 60n], 0, 0).bytes, "GGUF_CORRUPT", /a size of "t"/],
    ["a product beyond counting", tensor(head(1, 0), "t", [2 ** 40, 2 ** 40], 0, 0).bytes, "TENSOR_OUT_OF_BOUNDS", /2\^53/],
    ["half a block", tensor(head(1, 0), "t", [33], 8, 0).bytes, "GGUF_CORRUPT", /no whole number of Q8_0 blocks of 32/],
    ["one name twice", tensor(tensor(head(2, 0), "t", [1], 0, 0), "t", [1], 0, 32).bytes, "GGUF_CORRUPT", /two tensors named "t"/],
    ["data that is cut off", two(32).subarray(0, 140) as Uint8Array<ArrayBuffer>, "GGUF_CORRUPT", /1 of 2 tensors are incomplete|2 of 2/],
    ["an offset beyond counting", tensor(head(1, 0), "t", [1], 0, 2n ** 64n - 16n).bytes, "GGUF_CORRUPT", /offset of "t"/],
  ])("with %s is refused", async (_, bytes, code, message) => {
    await expect(openBytes(bytes)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it.each<[string, Uint8Array<ArrayBuffer>, string]>([
    ["tensors that share bytes", two(16 + 16 - 32), "gguf-overlap"],
    ["a tensor that is not aligned", two(36), "gguf-alignment"],
    ["bytes between tensors", two(4096), "gguf-hidden-bytes"],
    ["bytes after them", Uint8Array.from([...two(32), ...new Uint8Array(64)]), "gguf-hidden-bytes"],
    ["a key twice", head(0, 2).string("k").u32(0).raw(1).string("k").u32(0).raw(2).bytes, "gguf-duplicate-key"],
    ["a type to come", tensor(head(1, 0), "t", [32], 999, 0).padTo(32).bytes, "gguf-unknown-type"],
  ])("with %s opens with a finding, and not when strict", async (_, bytes, rule) => {
    const { findings } = await openBytes(bytes);
    expect(findings.map((finding) => finding.rule)).toContain(rule);
    await expect(openBytes(bytes, "file", { mode: "strict" })).rejects.toMatchObject({
      code: expect.stringMatching(/GGUF_CORRUPT|UNSUPPORTED_DTYPE/),
    });
  });

  it("says when it is one of several files", async () => {
    const parts = head(0, 2).string("split.count").u32(2).raw(3, 0).string("split.no").u32(2).raw(1, 0);
    const { findings } = await openBytes(parts.bytes);
    expect(findings).toMatchObject([{ rule: "gguf-split", message: expect.stringContaining("file 2 of 3") }]);
  });

  it("is put together from the files that a model is split into", async () => {
    const part = (number: number, name: string): Uint8Array<ArrayBuffer> =>
      tensor(head(1, 2).string("split.count").u32(2).raw(3, 0).string("split.no").u32(2).raw(number, 0), name, [8], 0, 0)
        .padTo(32)
        .raw(...new Uint8Array(32).fill(number)).bytes;
    const files: Record<string, Uint8Array<ArrayBuffer>> = { "m-00002-of-00003.gguf": part(1, "b"), "m-00003-of-00003.gguf": part(2, "c") };
    const open = (names: readonly string[], name = "m-00001-of-00003.gguf") =>
      openGguf(memorySource(part(0, "a"), name), {
        openSibling: async (sibling) => {
          const bytes = names.includes(sibling) ? files[sibling] : undefined;
          if (!bytes) throw new CheckpointSourceError("NOT_FOUND", `${sibling} is not there.`);
          return memorySource(bytes, sibling);
        },
      });
    const whole = await open(Object.keys(files));
    expect([whole.tensors.map(({ name }) => name), whole.findings, whole.byteLength]).toEqual([
      ["a", "b", "c"],
      [],
      3 * part(0, "a").length,
    ]);
    expect((await whole.tensors[2]?.read())?.[0]).toBe(2);
    const partly = await open(["m-00003-of-00003.gguf"]);
    expect([partly.tensors.length, partly.findings]).toEqual([
      2,
      [expect.objectContaining({ rule: "gguf-missing-part", at: "m-00002-of-00003.gguf" })],
    ]);
    const alone = await open([]);
    expect([alone.tensors.length, alone.findings.map(({ rule }) => rule)]).toEqual([1, ["gguf-split"]]);
    expect((await open(Object.keys(files), "other.gguf")).tensors.length).toBe(1);
  });

  it("names types that have no numbers here, and gives their bytes", async () => {
    const bytes = tensor(head(1, 0), "t", [256], 16, 0)
      .padTo(32)
      .raw(...Array.from({ length: 66 }, (_, index) => index)).bytes;
    const [iq] = (await openBytes(bytes)).tensors;
    expect([iq?.dtype, iq?.byteLength]).toEqual(["IQ2_XXS", 66]);
    if (iq) expect(decodedTensor(iq)).toBe(iq);
  });

  it("keeps limits that are given", async () => {
    const bytes = await loadFixture("gguf-types.gguf");
    await expect(openBytes(bytes, "f", { limits: { metadataValues: 500 } })).rejects.toMatchObject({ code: "LIMIT_EXCEEDED" });
    await expect(openBytes(bytes, "f", { limits: { tensors: 3 } })).rejects.toMatchObject({ code: "LIMIT_EXCEEDED" });
    await expect(openBytes(bytes, "f", { limits: { headerBytes: 100 } })).rejects.toMatchObject({ code: "LIMIT_EXCEEDED" });
  });
});

function nested(depth: number): Uint8Array<ArrayBuffer> {
  const parts = head(0, 1).string("k").u32(9);
  for (let level = 0; level < depth; level++) parts.u32(9).u64(1);
  return parts.u32(0).u64(0).bytes;
}
