import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { CheckpointError, memorySource } from "@ckptkit/core";
import { type CorpusEntry, corpus } from "@ckptkit/testkit/node";
import { describe, expect, it } from "vitest";
import { openCheckpoint } from "../src/index.js";
import { dtypeOfGlobal } from "../src/torch/dtypes.js";
import { sha256 } from "./truth.js";

const FORMATS = ["torch-zip", "torch-legacy", "torchscript", "dcp-metadata", "safetensors"];
const entries = corpus(...FORMATS) ?? [];

/** The corpus gives torch's names of dtypes, or safetensors' own. */
const codeOf = (dtype: string): string => dtypeOfGlobal(`torch.${dtype}`) ?? dtype;

describe.skipIf(entries.length === 0)("real checkpoints, where shared/corpus lies beside the repository", () => {
  it.each(entries.map((entry) => [entry.file, entry] as const))("%s gives every tensor, digest for digest", async (_, entry) => {
    const source = memorySource(await readFile(entry.path), entry.file);
    if (entry.truth.error !== undefined || entry.truth.invalid !== undefined) {
      const outcome = await openCheckpoint(source).catch((error: unknown) => error);
      if (outcome instanceof Error) expect(outcome).toBeInstanceOf(CheckpointError);
      return;
    }
    const openSibling = async (name: string) => memorySource(await readFile(join(dirname(entry.path), name)), name);
    const checkpoint = await openCheckpoint(source, { openSibling });
    expect(checkpoint.format).toBe(entry.format === "dcp-metadata" ? "torch-dcp" : entry.format);
    await expectTruth(checkpoint, entry);
  });
});

async function expectTruth(checkpoint: Awaited<ReturnType<typeof openCheckpoint>>, { truth, format }: CorpusEntry): Promise<void> {
  const arrays = new Set((truth.ndarrays ?? []).map(({ name }) => name));
  const found = checkpoint.tensors.filter(({ path }) => !arrays.has(path) && !path.startsWith("__constants__."));
  const sorted = <T>(items: readonly T[], name: (item: T) => string): T[] =>
    format === "safetensors" ? [...items].sort((a, b) => (name(a) < name(b) ? -1 : 1)) : [...items];
  const expected = sorted(truth.tensors, ({ name }) => name);
  const tensors = sorted(found, ({ path }) => path);
  expect(tensors.map(({ path }) => path)).toEqual(expected.map(({ name }) => name));
  const storages = new Map<number, unknown>();
  for (const [index, tensor] of tensors.entries()) {
    const row = expected[index];
    if (!row) continue;
    expect([tensor.dtype, tensor.shape], row.name).toEqual([codeOf(row.dtype), row.shape]);
    if (row.stride) expect(tensor.strides, row.name).toEqual(row.stride);
    if (row.st !== undefined) {
      if (!storages.has(row.st)) storages.set(row.st, tensor.storage);
      expect(tensor.storage, row.name).toBe(storages.get(row.st));
    }
    if (row.sha256 !== null) expect(await sha256(await tensor.read()), row.name).toBe(row.sha256);
  }
}
