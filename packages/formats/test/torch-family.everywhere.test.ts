import { memorySource } from "@ckptkit/core";
import { codeOf } from "@ckptkit/testkit";
import { describe, expect, it } from "vitest";
import { openCheckpoint } from "../src/index.js";
import { familyFiles, familyFixtures, openFiles, stemOf } from "./torch-family.js";
import { sha256 } from "./truth.js";

const fixtures = await familyFixtures();

describe.each(fixtures.map((entry) => [entry.file, entry] as const))("%s", (file, entry) => {
  it("gives every tensor as torch gives it", async () => {
    const files = await familyFiles(entry);
    const checkpoint = await openFiles(file.slice(stemOf(file).length), files).checkpoint;
    expect(checkpoint.format).toBe(entry.format);
    const byPath = new Map(checkpoint.tensors.map((tensor) => [tensor.path, tensor]));
    for (const truth of entry.tensors) {
      const tensor = byPath.get(truth.path);
      expect(tensor && [tensor.dtype, tensor.shape], truth.path).toEqual([truth.dtype, truth.shape]);
      expect(tensor && (await sha256(await tensor.read())), truth.path).toBe(truth.sha256);
    }
    expect(checkpoint.metadata).toMatchObject(entry.metadata ?? {});
    expect(checkpoint.findings.filter(({ severity }) => severity !== "info")).toEqual([]);
    await checkpoint.close();
  });

  it("gives no others, but for those that only describe", async () => {
    const checkpoint = await openFiles(file.slice(stemOf(file).length), await familyFiles(entry)).checkpoint;
    const known = new Set(entry.tensors.map(({ path }) => path));
    // Parts of nested and distributed tensors that torch makes anew when it loads them, and constants of code.
    const describing = /^(?:nested\.(?:strides|storage_offsets)|jagged\._metadata_cache\..*|distributed\._spec\..*|__constants__\..*)$/;
    expect(checkpoint.tensors.map(({ path }) => path).filter((path) => !known.has(path) && !describing.test(path))).toEqual([]);
  });
});

describe("a frozen program", () => {
  it("has its weights among the constants of its code", async () => {
    const entry = fixtures.find((one) => one.file === "frozen.torchscript.pt");
    if (!entry) throw new Error("The fixture is missing.");
    const { tensors } = await openFiles(entry.file, await familyFiles(entry)).checkpoint;
    const found = await Promise.all(
      tensors.map(async (tensor) => ({ dtype: tensor.dtype, shape: tensor.shape, sha256: await sha256(await tensor.read()) })),
    );
    for (const { dtype, shape, sha256: digest } of entry.unordered ?? []) expect(found).toContainEqual({ dtype, shape, sha256: digest });
    expect(entry.unordered?.length).toBeGreaterThan(0);
  });
});

describe("archives that hold something else", () => {
  const header = (name: string, size: number): Uint8Array => {
    const block = new Uint8Array(512);
    const put = (text: string, at: number): void => block.set(new TextEncoder().encode(text), at);
    put(name, 0);
    put(size.toString(8).padStart(11, "0"), 124);
    put("        ", 148);
    put("0", 156);
    put("ustar\u000000", 257);
    const sum = block.reduce((total, byte) => total + byte, 0);
    put(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    return block;
  };
  const join = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(parts.flatMap((part) => [...part]));

  it("are said to be what they are", async () => {
    const stray = join(header("readme.txt", 3), new Uint8Array(512), new Uint8Array(1024));
    await expect(openCheckpoint(memorySource(stray, "a.tar"))).rejects.toMatchObject({
      code: "UNSUPPORTED_FORMAT",
      message: expect.stringContaining("readme.txt"),
    });
  });

  it("are refused where their headers lie", async () => {
    expect(await codeOf(openCheckpoint(memorySource(header("storages", 8 ** 11 - 1), "a.tar")))).toBe("TAR_CORRUPT");
    expect(await codeOf(openCheckpoint(memorySource(join(header("a", 0), header("a", 0), new Uint8Array(1024)), "a.tar")))).toBe(
      "TAR_CORRUPT",
    );
    expect(await codeOf(openCheckpoint(memorySource(join(header("a", 0), new Uint8Array(511).fill(1), new Uint8Array(1)), "a.tar")))).toBe(
      "TAR_CORRUPT",
    );
  });
});
