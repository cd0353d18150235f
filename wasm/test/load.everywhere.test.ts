import { afterEach, describe, expect, test, vi } from "vitest";
import { compileKernels, isWasmSupported, loadKernels } from "../src/index.js";

const sha256OfNothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

describe("loading the WebAssembly kernels", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  });

  test("they are supported here", () => {
    expect(isWasmSupported()).toBe(true);
  });

  test("one compiled module serves many kernels, each with a memory of its own", async () => {
    const module = await compileKernels();
    const [one, two] = await Promise.all([loadKernels({ module }), loadKernels({ module, memoryBytes: 2 ** 21 })]);
    const buffer = one.allocate(64);
    buffer.bytes.fill(9);
    expect(two.allocate(64).bytes.every((byte) => byte === 0)).toBe(true);
    expect(one.hasher("sha256").hexDigest()).toBe(sha256OfNothing);
    expect(two.hasher("sha256").hexDigest()).toBe(sha256OfNothing);
  });

  test("a compiled module can be sent to another thread", async () => {
    const module = await compileKernels();
    const { port1, port2 } = new MessageChannel();
    const received = new Promise<WebAssembly.Module>((resolve) => {
      port2.onmessage = ({ data }) => resolve(data);
    });
    port1.postMessage(module);
    const kernels = await loadKernels({ module: await received });
    port1.close();
    expect(kernels.hasher("sha256").hexDigest()).toBe(sha256OfNothing);
  });

  test("bytes of one kernels' memory can be given to other kernels", async () => {
    const module = await compileKernels();
    const [one, two] = await Promise.all([loadKernels({ module }), loadKernels({ module })]);
    const buffer = one.allocate(9);
    buffer.bytes.set(new TextEncoder().encode("123456789"));
    const hasher = two.hasher("crc32");
    hasher.update(buffer.bytes);
    expect(hasher.hexDigest()).toBe("cbf43926");
  });

  test("without WebAssembly the error says what to use instead", async () => {
    vi.stubGlobal("WebAssembly", undefined);
    expect(isWasmSupported()).toBe(false);
    await expect(loadKernels()).rejects.toMatchObject({
      code: "KERNELS_UNAVAILABLE",
      suggestions: expect.arrayContaining([expect.stringContaining("jsKernels")]),
    });
  });

  test("without SIMD the error comes before any compilation", async () => {
    vi.spyOn(WebAssembly, "validate").mockReturnValue(false);
    const compile = vi.spyOn(WebAssembly, "compile");
    await expect(loadKernels()).rejects.toMatchObject({ code: "KERNELS_UNAVAILABLE" });
    expect(compile).not.toHaveBeenCalled();
  });

  test("a forbidden compilation keeps its cause", async () => {
    const cause = new Error("violates the Content Security Policy");
    vi.spyOn(WebAssembly, "compile").mockRejectedValue(cause);
    await expect(compileKernels()).rejects.toMatchObject({ code: "KERNELS_UNAVAILABLE", cause });
  });

  test("another module than the kernels is refused", async () => {
    const empty = await WebAssembly.compile(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
    await expect(loadKernels({ module: empty })).rejects.toMatchObject({ code: "KERNELS_UNAVAILABLE" });
  });
});
