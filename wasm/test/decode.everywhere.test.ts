import { canDecode, countNumbers, decodeNumbers, numbersPerElement } from "@ckptkit/wasm/js";
import { describe, expect, it } from "vitest";
// Every byte as torch 2.13 sees it: torch.arange(256).to(torch.uint8).view(dtype).to(torch.float32).tolist()
import float8 from "./float8-values.json" with { type: "json" };

const decode = (dtype: string, bytes: number[], count: number): number[] => [
  ...decodeNumbers(dtype, Uint8Array.from(bytes), new Float64Array(count)),
];

describe("decodeNumbers", () => {
  it.each(Object.entries(float8))("gives every byte of %s the value that torch gives it", (dtype, values) => {
    const all = Array.from({ length: 256 }, (_, byte) => byte);
    expect(decode(dtype, all, 256)).toEqual(values.map((value) => Number(String(value).replace("inf", "Infinity"))));
  });

  it("reads integers of any size, rounding those beyond 2^53", () => {
    expect(decode("I64", [255, 255, 255, 255, 255, 255, 255, 255], 1)).toEqual([-1]);
    expect(decode("U64", [255, 255, 255, 255, 255, 255, 255, 255], 1)).toEqual([2 ** 64]);
    expect(decode("I8", [128, 127], 2)).toEqual([-128, 127]);
    expect(decode("QINT32", [0, 0, 0, 128], 1)).toEqual([-(2 ** 31)]);
    expect(decode("BOOL", [0, 1, 2], 3)).toEqual([0, 1, 1]);
  });

  it("reads packed elements from the lowest bits on", () => {
    expect(decode("QUINT4X2", [0x21, 0x43], 4)).toEqual([1, 2, 3, 4]);
    expect(decode("QUINT2X4", [0b11100100], 4)).toEqual([0, 1, 2, 3]);
    expect(decode("F4", [0x72, 0x9f], 4)).toEqual([1, 6, -6, -0.5]);
  });

  it("reads both parts of complex elements and of pairs", () => {
    const parts = new Uint8Array(new Float32Array([1.5, -2]).buffer);
    expect(decode("C64", [...parts], 2)).toEqual([1.5, -2]);
    expect(["C32", "C64", "C128", "F4_X2", "F32"].map(numbersPerElement)).toEqual([2, 2, 2, 2, 1]);
    expect([countNumbers("C64", 16), countNumbers("F4_X2", 3), countNumbers("F4", 3), countNumbers("BF16", 6)]).toEqual([4, 6, 6, 3]);
  });

  it("refuses what has no numbers", () => {
    expect([canDecode("F6_E2M3"), canDecode("toString"), canDecode("F32")]).toEqual([false, false, true]);
    expect(() => decode("F6_E2M3", [0, 0, 0], 4)).toThrow(expect.objectContaining({ code: "UNSUPPORTED_DTYPE" }));
  });
});
