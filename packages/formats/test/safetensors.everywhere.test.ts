import { DEFAULT_LIMITS, memorySource } from "@ckptkit/core";
import { codeOf } from "@ckptkit/testkit";
import { describe, expect, it } from "vitest";
import { openCheckpoint, openSafetensors, SAFETENSORS_DTYPES } from "../src/index.js";
import { HEADERS, safetensorsFile } from "./safetensors-headers.js";
import { fields, sparseSource, text } from "./sparse-source.js";

describe("a safetensors header", () => {
  it.each(HEADERS.map((each) => [each.name, each] as const))("%s: is judged as the reference implementation does", async (_, each) => {
    const open = openSafetensors(memorySource(each.bytes));
    if (typeof each.compatible === "string") expect(await codeOf(open)).toBe(each.compatible);
    else
      expect(
        (await open).findings.map(({ rule }) => rule).filter((rule) => each.name.includes("multiple") || rule !== "safetensors-alignment"),
      ).toEqual(each.compatible);
  });

  it.each(HEADERS.map((each) => [each.name, each] as const))("%s: is judged by the format's page in strict mode", async (_, each) => {
    const compatible = await openSafetensors(memorySource(each.bytes)).catch(() => undefined);
    const strict = openSafetensors(memorySource(each.bytes), { mode: "strict" });
    if (!compatible) await expect(strict).rejects.toMatchObject({ name: "CheckpointLoadError" });
    else if (compatible.findings.length > 0) expect(await codeOf(strict)).toBe("SAFETENSORS_HEADER");
    else expect((await strict).findings).toEqual([]);
  });

  it("of over 100 MB is refused before it is read", async () => {
    const bytes = DEFAULT_LIMITS.headerBytes + 1;
    const source = sparseSource(8 + bytes, [
      { at: 0, bytes: fields([8, bytes]) },
      { at: 8, bytes: text("{}") },
    ]);
    expect(await codeOf(openSafetensors(source))).toBe("LIMIT_EXCEEDED");
  });

  it("of many tensors is refused over the limit", async () => {
    const entries = Array.from({ length: 11 }, (_, index) => [`t${index}`, { dtype: "U8", shape: [0], data_offsets: [0, 0] }]);
    const source = memorySource(safetensorsFile(JSON.stringify(Object.fromEntries(entries))));
    expect(await codeOf(openSafetensors(source, { limits: { tensors: 10 } }))).toBe("LIMIT_EXCEEDED");
  });

  it("with very many defects lists some of them, quickly", async () => {
    const twice = Array.from({ length: 30_000 }, () => '"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":1}').join(",");
    const { findings } = await openSafetensors(memorySource(safetensorsFile(`{${twice}}`)));
    expect(findings.length).toBe(100);
  });

  it("keeps names, metadata and the last of equal keys as they are", async () => {
    const names = ["__proto__", "", "a.b", "größe", "line\nfeed", "constructor"];
    const one = (index: number) => ({ dtype: "U8", shape: [1], data_offsets: [index, index + 1] });
    const parts = names.map((name, index) => `${JSON.stringify(name)}:${JSON.stringify(one(index))}`);
    const header = `{"__metadata__":{"__proto__":"p","k":"1","k":"2"},${parts.join(",")}}`;
    const checkpoint = await openSafetensors(memorySource(safetensorsFile(header, names.length)));
    expect(checkpoint.tensors.map(({ name }) => name)).toEqual(names);
    expect(checkpoint.tensors.map(({ keys }) => keys)).toEqual(names.map((name) => [name]));
    expect(Object.entries(checkpoint.metadata)).toEqual([
      ["__proto__", "p"],
      ["k", "2"],
    ]);
    expect(Object.getPrototypeOf(checkpoint.metadata)).toBe(Object.prototype);
  });

  it("knows every dtype of the format", async () => {
    for (const dtype of SAFETENSORS_DTYPES) {
      const bits = { F4: 4, F6_E2M3: 6, F6_E3M2: 6 }[dtype as string];
      const bytes = bits ? bits : Number(/\d+/.exec(dtype)?.[0] ?? 8) / 8;
      const header = `{"t":{"dtype":"${dtype}","shape":[8],"data_offsets":[0,${bits ? bytes : 8 * bytes}]}}`;
      const { tensors } = await openSafetensors(memorySource(safetensorsFile(header, bits ? bytes : 8 * bytes)));
      expect(tensors[0]?.dtype).toBe(dtype);
    }
  });

  it("says in its error which file, which tensor, what was found and what was expected", async () => {
    const header = '{"layer.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,20]}}';
    await expect(openSafetensors(memorySource(safetensorsFile(header, 20), "model.safetensors"))).rejects.toMatchObject({
      message: expect.stringMatching(/"layer\.weight" of model\.safetensors .* F32 of shape \[2, 3\] needs 24 bytes/),
      details: { tensor: "layer.weight", expected: 24, found: 20 },
    });
  });
});

describe("a file is told by its content", () => {
  it.each([
    ["GGUF", "GGUF_CORRUPT", "its version is 0"],
    ["\x89HDF\r\n\x1a\n", "HDF5_CORRUPT", "HDF5"],
    ["\x93NUMPY\x01\x00", "NPY_CORRUPT", "its header is no"],
    ["\x1f\x8b\x08", "PACKED_FILE", "gunzip"],
    ["\x1f\x8b\x08\x08\0\0\0\0\0\x03weights/model.ckpt\0", "PACKED_FILE", 'called "model.ckpt"'],
    ["\x1f\x8b\x08\x0c\0\0\0\0\0\x03\x02\0abtrue name.pt\0", "PACKED_FILE", 'called "true name.pt"'],
    ["7z\xbc\xaf\x27\x1c\0", "PACKED_FILE", "7z x"],
    ["Rar!\x1a\x07\x01", "PACKED_FILE", "unrar"],
    ["BZh91AY", "PACKED_FILE", "bunzip2"],
    ["\xfd7zXZ\0\0", "PACKED_FILE", "unxz"],
    ["\x04\x22\x4d\x18d", "PACKED_FILE", "unlz4"],
    ["\x28\xb5\x2f\xfd\0", "PACKED_FILE", "unzstd"],
    ["\x78\x9c\x01\0", "PACKED_FILE", "zlib"],
    ["PK\x05\x06", "UNKNOWN_FORMAT", "without members"],
    [`${"x".repeat(257)}ustar`, "UNKNOWN_FORMAT", "a tar archive"],
    ["\x80\x04\x95", "UNKNOWN_FORMAT", "a pickle that torch.save did not make"],
    ["<!doctype html><html>", "UNKNOWN_FORMAT", "a web page"],
    ["  <HTML>", "UNKNOWN_FORMAT", "a web page"],
    ["nothing that is known", "UNKNOWN_FORMAT", "beginning with 6e 6f 74 68"],
    ["version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12345\n", "LFS_POINTER", "12345 bytes"],
  ])("%j: %s", async (begins, code, says) => {
    const bytes = Uint8Array.from(begins.padEnd(600, begins.startsWith("version") ? " " : "\0"), (character) => character.charCodeAt(0));
    let closed = 0;
    const source = { ...memorySource(bytes), close: async () => void closed++ };
    const error: unknown = await openCheckpoint(source).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code });
    expect(JSON.stringify(error) + String(error)).toContain(says);
    expect(closed).toBe(1);
  });

  it("and an empty one is said to be empty", async () => {
    expect(await codeOf(openCheckpoint(memorySource(new Uint8Array(0))))).toBe("EMPTY_FILE");
  });
});
