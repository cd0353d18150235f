import { CheckpointError, type Kernels } from "@ckptkit/core";

let compiling: Promise<WebAssembly.Module | undefined> | undefined;

/**
 * The WebAssembly kernels, compiled once for all threads of this process; undefined where they cannot run. They are not loaded before they are asked
 * for.
 */
export function compiledKernels(): Promise<WebAssembly.Module | undefined> {
  compiling ??= compile().catch((error: unknown) => {
    compiling = undefined;
    throw error;
  });
  return compiling;
}

async function compile(): Promise<WebAssembly.Module | undefined> {
  const { compileKernels } = await import("@ckptkit/wasm");
  try {
    return await compileKernels();
  } catch (error) {
    if (error instanceof CheckpointError && error.code === "KERNELS_UNAVAILABLE") return undefined;
    throw error;
  }
}

/**
 * The WebAssembly kernels, with OpenSSL's hashes where those are faster; where they cannot run, the plain JavaScript ones, which give the same
 * answers more slowly.
 */
export async function loadNodeKernels(): Promise<Kernels> {
  const module = await compiledKernels();
  const { withNativeHashes } = await import("./native-hashes.js");
  try {
    if (module) return withNativeHashes(await (await import("@ckptkit/wasm")).loadKernels({ module }));
  } catch (error) {
    if (!(error instanceof CheckpointError) || error.code !== "KERNELS_UNAVAILABLE") throw error;
  }
  return withNativeHashes((await import("./js-kernels.js")).jsKernels());
}
