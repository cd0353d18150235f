import { CheckpointError, type Kernels } from "@ckptkit/core";
import { checkMemoryBytes, memoryUsedUp } from "./checks.js";
import type { KernelExports } from "./kernel-exports.js";
import { PAGE_BYTES, WasmKernels } from "./wasm-kernels.js";

/**
 * The smallest module that needs SIMD: one function, `i32.const 0, i8x16.splat, i8x16.popcnt, drop`.
 *
 * @see https://webassembly.github.io/spec/core/binary/instructions.html#vector-instructions
 */
const SIMD_MODULE = [
  0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x04, 0x01, 0x60, 0x00, 0x00, 0x03, 0x02, 0x01, 0x00, 0x0a, 0x0b, 0x01, 0x09, 0x00,
  0x41, 0x00, 0xfd, 0x0f, 0xfd, 0x62, 0x1a, 0x0b,
];

/** Whether WebAssembly with 128-bit SIMD runs here. */
export function isWasmSupported(): boolean {
  return typeof WebAssembly === "object" && WebAssembly.validate(Uint8Array.from(SIMD_MODULE));
}

function unavailable(message: string, cause?: unknown): CheckpointError {
  return new CheckpointError("KERNELS_UNAVAILABLE", message, {
    cause,
    suggestions: [
      "Use jsKernels() of @ckptkit/wasm/js, which gives the same answers.",
      "On a page with a Content-Security-Policy, allow 'wasm-unsafe-eval' in script-src.",
    ],
  });
}

/**
 * Compiles the kernels once, so that many workers can be given the same module.
 *
 * @throws {CheckpointError} KERNELS_UNAVAILABLE
 * @example
 * const module = await compileKernels();
 * worker.postMessage({ module }); // there: await loadKernels({ module })
 */
export async function compileKernels(): Promise<WebAssembly.Module> {
  if (!isWasmSupported()) throw unavailable("WebAssembly with SIMD is not available here.");
  // Only here, so that a page that fetches kernels.wasm by itself does not carry the binary twice.
  const { KERNELS_DEFLATED } = await import("./generated/kernels-deflated.js");
  const packed = Uint8Array.from(atob(KERNELS_DEFLATED), (character) => character.charCodeAt(0));
  try {
    const binary = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    return await WebAssembly.compile(await new Response(binary).arrayBuffer());
  } catch (error) {
    throw unavailable(`The WebAssembly kernels could not be compiled: ${reason(error)}`, error);
  }
}

/**
 * Loads the kernels in WebAssembly. Each call gives kernels with a memory of their own, made at its full size.
 *
 * @param options.memoryBytes size of that memory, for buffers and states together; 24 MiB by default
 * @param options.module the kernels, compiled before: by {@link compileKernels}, or by `WebAssembly.compileStreaming` from `@ckptkit/wasm/kernels.wasm`
 * @throws {CheckpointError} KERNELS_UNAVAILABLE when WebAssembly with SIMD is missing or forbidden here
 * @throws {CheckpointConfigError} INVALID_ARGUMENT when memoryBytes is out of range
 * @throws {CheckpointError} LIMIT_EXCEEDED when the engine has not that much memory to give
 * @example
 * const kernels = await loadKernels();
 * const scanner = kernels.scanner("F32");
 * scanner.update(new Uint8Array(Float32Array.of(1, 2, Number.NaN).buffer));
 * scanner.result(); // { count: 3, nan: 1, ..., min: 1, max: 2, mean: 1.5, std: 0.5 }
 * scanner.free();
 */
export async function loadKernels(options: { memoryBytes?: number; module?: WebAssembly.Module } = {}): Promise<Kernels> {
  const memoryBytes = checkMemoryBytes(options.memoryBytes);
  const module = options.module ?? (await compileKernels());
  const memory = createMemory(memoryBytes);
  try {
    const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
    // WebAssembly has no types for its exports: this names those of assembly/index.ts.
    return new WasmKernels(exports as unknown as KernelExports, memory);
  } catch (error) {
    throw unavailable(`The WebAssembly kernels could not be started: ${reason(error)}`, error);
  }
}

/** Memory that never grows, so that views of it stay valid. */
function createMemory(memoryBytes: number): WebAssembly.Memory {
  const pages = Math.ceil(memoryBytes / PAGE_BYTES);
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages });
  } catch {
    throw memoryUsedUp(memoryBytes, memoryBytes);
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
