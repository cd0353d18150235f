import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type Checkpoint, memorySource, type TensorHandle } from "@ckptkit/core";
import { type OpenCheckpointOptions, openCheckpoint } from "@ckptkit/formats";
import { hashTensors } from "@ckptkit/inspect";
import { loadKernels } from "@ckptkit/wasm";
import { Broken, codeOf } from "./finding.js";
import { inRepository } from "./repository.js";
import { siblings } from "./seeds.js";

/** Tensors of a fixture whose bytes are guarded by a checksum, by path, dtype and shape. */
export type Truth = ReadonlyMap<string, Uint8Array>;

const kernels = await loadKernels();
const known = new Map<string, Promise<Truth>>();

/** How a tensor is found again in a damaged copy. */
export const keyOf = ({ path, dtype, shape }: TensorHandle): string => JSON.stringify([path, dtype, shape]);

/** What a fixture says that is under a checksum. */
export function truthOf(fixture: string, options: OpenCheckpointOptions = {}): Promise<Truth> {
  let truth = known.get(fixture);
  if (!truth) {
    truth = read(fixture, options);
    known.set(fixture, truth);
  }
  return truth;
}

async function read(fixture: string, options: OpenCheckpointOptions): Promise<Truth> {
  const path = inRepository(`fixtures/files/${fixture}`);
  const open = siblings(basename(fixture), (name) => {
    const file = join(dirname(path), name);
    return existsSync(file) ? new Uint8Array(readFileSync(file)) : undefined;
  });
  const source = memorySource(new Uint8Array(readFileSync(path)), basename(fixture));
  const checkpoint = await openCheckpoint(source, { ...options, openSibling: async (name) => open(name) });
  const tensors = new Map<string, Uint8Array>();
  const seen = new Set<string>();
  for (const tensor of checkpoint.tensors) {
    const key = keyOf(tensor);
    // Of two with one name nobody can say which is meant.
    if (seen.has(key)) tensors.delete(key);
    else if (tensor.storage?.crc !== undefined) tensors.set(key, await tensor.read());
    seen.add(key);
  }
  return tensors;
}

/**
 * Makes sure that a value under a checksum that differs from what was written is noticed: by a finding, or by the check that
 * hashes and conversions make.
 *
 * @throws {Broken}
 */
export async function expectNoticed(checkpoint: Checkpoint, read: ReadonlyMap<TensorHandle, Uint8Array>, truth: Truth): Promise<void> {
  for (const [tensor, bytes] of read) {
    const expected = truth.get(keyOf(tensor));
    if (!expected || Buffer.compare(expected, bytes) === 0 || checkpoint.findings.length > 0) continue;
    try {
      await hashTensors(checkpoint, { kernels, algorithm: "sha256", select: (other) => other === tensor });
    } catch (error) {
      codeOf(error);
      continue;
    }
    throw new Broken(`Another value of "${tensor.path}" (${tensor.dtype}, [${tensor.shape}]) than was written goes unnoticed.`);
  }
}
