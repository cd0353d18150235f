import { stat } from "node:fs/promises";
import type { Oracle } from "./oracle.js";
import { type BigFile, type BigOptions, planBig, temporaryFile } from "./sparse-file.js";

/** `input`: path, names, elements, seed. */
const SCRIPT = `
import torch
torch.manual_seed(input["seed"])
torch.save({name: torch.randn(input["elements"]) for name in input["names"]}, input["path"])
result = None
`;

/**
 * A state dict of random weights as torch.save writes it, really on the disk: for measuring. Takes as much memory in Python
 * as its bytes.
 *
 * @example const big = await bigTorchByOracle(oracle, { bytes: 2 ** 30 }); try { ... } finally { await big.remove(); }
 */
export async function bigTorchByOracle(oracle: Oracle, options: BigOptions & { seed?: number }): Promise<BigFile> {
  const { names, elements } = planBig(options);
  const { path, remove } = await temporaryFile("big.pt");
  try {
    await oracle.run(SCRIPT, { input: { path, names, elements, seed: options.seed ?? 0 }, timeoutMs: 600_000 });
    return { path, size: (await stat(path)).size, tensors: names, shape: [elements], remove };
  } catch (error) {
    await remove();
    throw error;
  }
}
