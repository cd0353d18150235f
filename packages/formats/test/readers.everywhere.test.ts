import { CheckpointError, type FormatReader, memorySource } from "@ckptkit/core";
import { codeOf } from "@ckptkit/testkit";
import { loadFixture } from "@ckptkit/testkit/vite";
import { describe, expect, it } from "vitest";
import * as formats from "../src/index.js";
import { lazyReader } from "../src/lazy-reader.js";

const { openCheckpoint, openCheckpointSync, READERS } = formats;
const isReader = (value: unknown): value is FormatReader =>
  typeof value === "object" && value !== null && "matches" in value && "open" in value;

describe("the readers that are loaded when they are needed", () => {
  it("are those that the package exports, one a format, with the same signature", () => {
    const whole = Object.values(formats).filter(isReader);
    const facts = (readers: readonly FormatReader[]) =>
      readers.map(({ format, blockBytes, matches }) => ({ format, blockBytes, matches })).sort((a, b) => (a.format < b.format ? -1 : 1));
    expect(facts(READERS)).toEqual(facts(whole));
  });

  it("open without waiting where they are given by name, too", async () => {
    const bytes = await loadFixture("gguf-types.gguf");
    const readers = READERS.filter(({ format }) => format === "gguf");
    const waited = await openCheckpoint(memorySource(bytes, "a.gguf"), { readers });
    expect(openCheckpointSync(memorySource(bytes, "a.gguf"), { readers }).tensors.length).toBe(waited.tensors.length);
  });

  it("leave a reader alone that only shares its name with one of them", async () => {
    const own: FormatReader = { format: "gguf", matches: () => true, open: async () => Promise.reject(new Error("never opened")) };
    const bytes = await loadFixture("gguf-types.gguf");
    expect(() => openCheckpointSync(memorySource(bytes), { readers: [own] })).toThrow(
      expect.objectContaining({ code: "STAGE_ASYNC_ONLY" }),
    );
  });

  it("say so when their code cannot be had, close the source, and are asked for again the next time", async () => {
    let asked = 0;
    const reader = lazyReader({ format: "rare", matches: () => true }, async () => {
      asked++;
      throw new TypeError("Failed to fetch dynamically imported module");
    });
    let closed = 0;
    const source = () => ({ ...memorySource(new Uint8Array(8)), close: async () => void closed++ });
    expect(await codeOf(openCheckpoint(source(), { readers: [reader] }))).toBe("CODE_UNAVAILABLE");
    const error: unknown = await openCheckpoint(source(), { readers: [reader] }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(CheckpointError);
    expect(error).toMatchObject({ message: expect.stringContaining("rare"), cause: expect.any(TypeError) });
    expect([asked, closed]).toEqual([2, 2]);
  });
});
