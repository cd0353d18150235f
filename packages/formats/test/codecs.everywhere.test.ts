import { type ByteSource, CheckpointError, memorySource, withLimits } from "@ckptkit/core";
import { codeOf, damage } from "@ckptkit/testkit";
import { loadFixture } from "@ckptkit/testkit/vite";
import { describe, expect, it } from "vitest";
import { bloscSource } from "../src/codecs/blosc.js";
import { decodeLz4 } from "../src/codecs/lz4.js";
import { streamSource } from "../src/codecs/stream-source.js";
import { Parts } from "./arrays.js";
import { sha256 } from "./truth.js";

interface Sample {
  readonly codec: { readonly id: string; readonly cname?: string; readonly level?: number; readonly shuffle?: number };
  readonly sample: string;
  readonly byteLength: number;
  readonly sha256: string;
  readonly encoded: string;
}

const text = new TextDecoder().decode(await loadFixture("zarr.json"));
const samples = (JSON.parse(text) as { codecs: Sample[] }).codecs; // the generator wrote it in this shape

const bytesOf = (base64: string): Uint8Array<ArrayBuffer> => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

/** What some bytes decode to. */
function decoded(id: string, bytes: Uint8Array, byteLength: number): ByteSource {
  const source = memorySource(bytes, "sample");
  if (id === "blosc") return bloscSource(source, byteLength, withLimits());
  if (id !== "lz4") return streamSource(id as "zstd", source, byteLength); // the fixtures have no other
  const plain = new Uint8Array(byteLength);
  decodeLz4(bytes.subarray(4), plain); // behind the length that numcodecs writes
  return memorySource(plain);
}

const labelled = samples.map((sample) => {
  const { id, cname = "", level = "", shuffle = "" } = sample.codec;
  return [`${[id, cname, level, shuffle].join(" ")} of ${sample.sample}`, sample] as const;
});

it.each(labelled)("%s is what numcodecs was given", async (_, { codec, byteLength, sha256: digest, encoded }) => {
  const source = decoded(codec.id, bytesOf(encoded), byteLength);
  expect(await sha256(await source.read(0, byteLength))).toBe(digest);
});

it.each(labelled.filter(([, { byteLength }]) => byteLength > 100))(
  "%s in pieces, and back again",
  async (_, { codec, byteLength, encoded }) => {
    const source = decoded(codec.id, bytesOf(encoded), byteLength);
    const whole = await source.read(0, byteLength);
    const third = Math.floor(byteLength / 3);
    for (const [start, end] of [
      [third, 2 * third],
      [2 * third, byteLength],
      [0, third],
      [5, 9],
    ] as const) {
      expect(await source.read(start, end)).toEqual(whole.slice(start, end));
    }
    await source.close?.();
  },
);

it.each(labelled.filter(([, { byteLength }]) => byteLength < 100_000))(
  "%s, damaged, gives a coded error or as many bytes",
  async (_, { codec, byteLength, encoded }) => {
    if (codec.id === "lz4") return; // its errors are those of a block, and have no code
    for (let seed = 0; seed < 40; seed++) {
      const { bytes, description } = damage(bytesOf(encoded), seed);
      try {
        expect(await decoded(codec.id, bytes, byteLength).read(0, byteLength), description).toHaveLength(byteLength);
      } catch (error) {
        if (!(error instanceof CheckpointError) || error.code === "INTERNAL") throw error;
      }
    }
  },
);

describe("zstd", () => {
  const frame = (...bytes: number[]): Uint8Array => new Parts().u32(0xfd2fb528).raw(...bytes).bytes;
  const codeOfFrame = (bytes: Uint8Array, byteLength: number): Promise<string> =>
    codeOf(decoded("zstd", bytes, byteLength).read(0, byteLength));

  it("several frames and what is to be skipped between them are one", async () => {
    const one = frame(0x20, 2, 0x11, 0, 0, 7, 8);
    const skipped = new Parts().u32(0x184d2a53, 3).raw(1, 2, 3).bytes;
    const bytes = Uint8Array.from([...one, ...skipped, ...one]);
    expect(await decoded("zstd", bytes, 4).read(0, 4)).toEqual(Uint8Array.of(7, 8, 7, 8));
  });

  it.each([
    ["a window of gigabytes", frame(0, 0xa8, 0x09, 0, 0, 1), 2 ** 31, "LIMIT_EXCEEDED"],
    ["a size that is not expected", frame(0x20, 2, 0x11, 0, 0, 7, 8), 3, "COMPRESSION_CORRUPT"],
    ["more than is expected", frame(0x20, 2, 0x11, 0, 0, 7, 8), 1, "COMPRESSION_CORRUPT"],
    ["a dictionary", frame(0x21, 9, 2, 0x11, 0, 0, 7, 8), 2, "COMPRESSION_CORRUPT"],
    ["a block that repeats more than there may be", frame(0x20, 2, 0xff, 0xff, 0x0f, 7), 2, "COMPRESSION_CORRUPT"],
    ["no frame", new Uint8Array(20), 2, "COMPRESSION_CORRUPT"],
    ["nothing", new Uint8Array(0), 2, "COMPRESSION_CORRUPT"],
  ] as const)("%s is refused", async (_, bytes, byteLength, code) => {
    // Only the first bytes are asked for: no memory is taken for what is declared.
    expect(byteLength > 1000 ? await codeOf(decoded("zstd", bytes, byteLength).read(0, 2)) : await codeOfFrame(bytes, byteLength)).toBe(
      code,
    );
  });
});
