// A large Lightning checkpoint, written once and shared by the works on files.
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { largeSafetensors } from "./large-files.mjs";

const GIB = 2 ** 30;

/** Bytes of the large files. */
export const largeBytes = (kit) => (kit.quick ? GIB : 4 * GIB);

/** The path of a safetensors file of random numbers. */
export function largeModel(kit, bytes = largeBytes(kit)) {
  return largeSafetensors(kit.folder, `large-${bytes}.safetensors`, { tensors: bytes / 2 ** 26, tensorBytes: 2 ** 26 }).path;
}

/** The path of a .ckpt of Lightning with the same numbers. */
export async function largeCheckpoint(kit, bytes = largeBytes(kit)) {
  const path = join(kit.folder, `large-${bytes}.ckpt`);
  if (existsSync(path)) return path;
  const { convertCheckpoint, fileSink, nodePlatform, openCheckpoint } = kit.ckptkit;
  const existed = existsSync(join(kit.folder, `large-${bytes}.safetensors`));
  const model = largeModel(kit, bytes);
  const checkpoint = await openCheckpoint(model);
  const kernels = await nodePlatform().kernels();
  await convertCheckpoint(checkpoint, (name) => fileSink(name), { kernels, fileName: path, to: "lightning" });
  await checkpoint.close();
  if (!existed) rmSync(model);
  return path;
}
