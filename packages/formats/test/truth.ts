import { type Checkpoint, memorySource, type PathKey, type TensorHandle } from "@ckptkit/core";
import { type FixtureEntry, isSpecified } from "@ckptkit/testkit";
import { loadFixture } from "@ckptkit/testkit/vite";
import { expect } from "vitest";
import { type OpenCheckpointOptions, openCheckpoint } from "../src/index.js";

/** Opens a fixture from memory; its shards, where it has some, as well. */
export async function openFixture(file: string, options: OpenCheckpointOptions = {}): Promise<Checkpoint> {
  const openSibling = async (name: string) => memorySource(await loadFixture(name), name);
  return openCheckpoint(memorySource(await loadFixture(file), file), { openSibling, ...options });
}

/** SHA-256 in hexadecimal, in Node and browsers alike. */
export async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes.slice());
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Identifies a place: two tensors may share a path, but not their keys. */
const placeOf = (keys: readonly PathKey[]): string => JSON.stringify(keys);

/** Compares a checkpoint with everything that the manifest says about the tensors of a fixture. */
export async function expectTensorsOf(checkpoint: Checkpoint, entry: FixtureEntry): Promise<void> {
  const found = checkpoint.tensors.filter(({ path }) => isSpecified(entry, path));
  const expected = entry.truth.tensors.filter(({ path }) => isSpecified(entry, path));
  if (entry.format.startsWith("safetensors")) {
    // Their order is the header's here, and that of the data in the reference reader.
    found.sort((a, b) => (a.name < b.name ? -1 : 1));
    expected.sort((a, b) => (a.path < b.path ? -1 : 1));
  }
  expect(found.map(({ keys }) => placeOf(keys))).toEqual(expected.map(({ keys }) => placeOf(keys)));
  const storages = new Map<number, object | undefined>();
  for (const [index, truth] of expected.entries()) {
    const tensor = found[index] as TensorHandle; // as many as expected, see above
    const label = `${entry.file}: ${truth.path}`;
    expect(tensor.path, label).toBe(truth.path);
    if (truth.name !== undefined) expect(tensor.name, label).toBe(truth.name);
    if (truth.group !== undefined) expect(tensor.group, label).toBe(truth.group);
    expect([tensor.dtype, tensor.shape], label).toEqual([truth.dtype, truth.shape]);
    if (truth.contiguous !== undefined) expect(tensor.contiguous, label).toBe(truth.contiguous);
    if (truth.strides) expect(tensor.strides, label).toEqual(truth.strides);
    expect([tensor.spec.conj ?? false, tensor.spec.neg ?? false], label).toEqual([truth.conj ?? false, truth.neg ?? false]);
    expect(tensor.spec.requiresGrad ?? false, label).toBe(truth.requiresGrad ?? false);
    if (truth.byteLength !== undefined) expect(tensor.byteLength, label).toBe(truth.byteLength);
    if (truth.storage !== undefined) {
      // The same number is the same storage, and another number another one.
      if (!storages.has(truth.storage)) {
        expect([...storages.values()], label).not.toContain(tensor.storage);
        storages.set(truth.storage, tensor.storage);
      }
      expect(storages.get(truth.storage), label).toBe(tensor.storage);
    }
    await expectQuantization(tensor, truth.quantization, label);
    if (truth.sha256 !== undefined) expect(await sha256(await tensor.read()), label).toBe(truth.sha256);
  }
}

async function expectQuantization(
  tensor: TensorHandle,
  truth: FixtureEntry["truth"]["tensors"][number]["quantization"],
  label: string,
): Promise<void> {
  const { quantization } = tensor.spec;
  expect(quantization?.scheme, label).toBe(truth?.scheme);
  if (!quantization || !truth) return;
  if (quantization.scheme === "per_tensor_affine") {
    expect([quantization.scale, quantization.zeroPoint], label).toEqual([truth.scale, truth.zeroPoint]);
  } else {
    expect(quantization.axis, label).toBe(truth.axis);
    expect([quantization.scales.shape, quantization.zeroPoints.shape], label).toEqual([[truth.scales?.length], [truth.zeroPoints?.length]]);
  }
}
