import { countSource, memorySource, watchCrc } from "@ckptkit/core";
import { loadFixture } from "@ckptkit/testkit/vite";
import { crc32, jsKernels } from "@ckptkit/wasm/js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { crcOfTail } from "../src/crc-algebra.js";
import { openNpz } from "../src/npz/index.js";
import { parseLiteral } from "../src/npz/python-literal.js";
import { openBytes, Parts } from "./arrays.js";

/** A `.npy` file of version 1 with this header, and so many bytes of data. */
const npy = (header: string, dataBytes = 0, version = 1): Uint8Array<ArrayBuffer> => {
  const parts = new Parts().raw(0x93).text("NUMPY").raw(version, 0);
  const length = new TextEncoder().encode(header).length;
  if (version === 1) parts.raw(length % 256, Math.floor(length / 256));
  else parts.u32(length);
  return parts.text(header).raw(...new Uint8Array(dataBytes)).bytes;
};

describe("npy", () => {
  it.each<[string, Uint8Array<ArrayBuffer>, string, RegExp]>([
    ["no header", new Parts().raw(0x93).text("NUMPY").raw(1).bytes, "NPY_CORRUPT", /within its header/],
    ["a version to come", npy("{}", 0, 9), "UNSUPPORTED_FORMAT", /version 9/],
    ["a header beyond the file", npy("{}").subarray(0, 11) as Uint8Array<ArrayBuffer>, "NPY_CORRUPT", /cut off/],
    [
      "a header beyond the limit",
      new Parts()
        .raw(0x93)
        .text("NUMPY")
        .raw(2, 0)
        .u32(2 ** 32 - 1).bytes,
      "LIMIT_EXCEEDED",
      /headerBytes/,
    ],
    ["a call", npy("__import__('os').system('x')"), "NPY_CORRUPT", /no Python dictionary/],
    ["an expression", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2*3,)}"), "NPY_CORRUPT", /',' or '\)'/],
    [
      "a fourth field",
      npy("{'descr': '<f4', 'fortran_order': False, 'shape': (), 'x': 1}"),
      "NPY_CORRUPT",
      /descr, fortran_order and shape/,
    ],
    ["a size below zero", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}"), "NPY_CORRUPT", /no tuple of sizes/],
    ["truth that is a number", npy("{'descr': '<f4', 'fortran_order': 0, 'shape': ()}"), "NPY_CORRUPT", /neither True nor False/],
    ["an unknown dtype", npy("{'descr': '<q4', 'fortran_order': False, 'shape': ()}"), "NPY_CORRUPT", /no dtype of numpy/],
    ["too little data", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}", 11), "NPY_CORRUPT", /12 bytes of data are expected/],
    [
      "sizes beyond counting",
      npy(`{'descr': '<f4', 'fortran_order': False, 'shape': (${2 ** 40}, ${2 ** 40})}`),
      "TENSOR_OUT_OF_BOUNDS",
      /2\^53/,
    ],
    ["nesting without end", npy("(".repeat(5000)), "NPY_CORRUPT", /nesting/],
  ])("with %s is refused", async (_, bytes, code, message) => {
    await expect(openBytes(bytes)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it("of Python 2 has long integers", async () => {
    const { tensors } = await openBytes(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2L, 3L), }", 24));
    expect(tensors[0]?.shape).toEqual([2, 3]);
  });

  it("with bytes after its data says so", async () => {
    const { findings } = await openBytes(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (), }", 9));
    expect(findings).toMatchObject([{ rule: "npy-trailing-bytes", message: expect.stringMatching(/^5 bytes follow/) }]);
  });
});

describe("Python literals", () => {
  it("are read as Python reads them", () => {
    expect(parseLiteral(`{'a': [("größe", '<i4', (2, 3)), ('x\\u00e9\\'', "|O")], 'b': (1,), 'c': (), 'd': None}`)).toEqual(
      new Map<string, unknown>([
        [
          "a",
          [
            ["größe", "<i4", [2, 3]],
            ["xé'", "|O"],
          ],
        ],
        ["b", [1]],
        ["c", []],
        ["d", null],
      ]),
    );
  });

  it("of any other text are a value or an error, in time", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(..."{}()[],:'\"\\ 0a") })), (text) => {
        try {
          parseLiteral(text);
        } catch (error) {
          expect(String(error)).toMatch(/at character \d+ .* expected/);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("npz", () => {
  it("is opened by its directory and headers, without the data", async () => {
    const source = countSource(memorySource(await loadFixture("np-stored.npz"), "np-stored.npz"));
    const { tensors } = await openNpz(source);
    expect(tensors).toHaveLength(11);
    expect(source.counts.reads).toBeLessThanOrEqual(11 + 2);
  });

  it("checks the CRC-32 of each array's data, which is made from that of the member", async () => {
    for (const file of ["np-stored.npz", "np-deflated.npz"]) {
      for (const { storage, path } of (await openBytes(await loadFixture(file), file)).tensors) {
        const watch = storage && watchCrc(storage, jsKernels());
        expect(watch, path).toBeDefined();
        await watch?.finish();
      }
    }
    const bytes = await loadFixture("np-stored.npz");
    const [first] = (await openBytes(bytes)).tensors;
    const clean = (await first?.read()) ?? new Uint8Array(1);
    const at = bytes.findIndex((_, index) => clean.every((byte, offset) => bytes[index + offset] === byte));
    bytes[at + 5] = (bytes[at + 5] ?? 0) ^ 1;
    const storage = (await openBytes(bytes)).tensors[0]?.storage;
    await expect(storage && watchCrc(storage, jsKernels())?.finish()).rejects.toMatchObject({ code: "CRC_MISMATCH" });
  });

  it("finds the CRC-32 of a tail without its bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 300 }), (head, tail) => {
        expect(crcOfTail(crc32(Uint8Array.from([...head, ...tail])), crc32(head), tail.length)).toBe(crc32(tail));
      }),
    );
  });

  it("without members is an empty one by its name alone", async () => {
    const empty = new Parts().text("PK\x05\x06").raw(...new Uint8Array(18)).bytes;
    expect((await openBytes(empty, "nothing.npz")).tensors).toEqual([]);
    await expect(openBytes(empty, "nothing.pt")).rejects.toMatchObject({ code: "UNKNOWN_FORMAT" });
  });

  it("does not take the archives of torch", async () => {
    const bytes = await loadFixture("lstm.pt");
    expect((await openBytes(bytes, "lstm.npz")).format).toBe("torch-zip");
    await expect(openNpz(memorySource(bytes, "lstm.npz"))).rejects.toMatchObject({ code: "UNSUPPORTED_FORMAT" });
  });
});
