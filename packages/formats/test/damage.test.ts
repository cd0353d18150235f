import { CheckpointError, type Kernels, memorySource, type TensorHandle, watchCrc } from "@ckptkit/core";
import { damage, type FixtureEntry, seededRandom } from "@ckptkit/testkit";
import { fixtures, readFixture } from "@ckptkit/testkit/node";
import { jsKernels } from "@ckptkit/wasm/js";
import { afterEach, describe, expect, it } from "vitest";
import { CRC_RULE, openCheckpoint } from "../src/index.js";

const kernels: Kernels = jsKernels();
/** Damaged copies of each fixture. */
const COPIES = 500;
/** Tensors whose bytes are read, in files that have more: chosen anew for each copy. */
const TENSORS_READ = 4;

const unhandled: unknown[] = [];
const note = (error: unknown): number => unhandled.push(error);
process.on("unhandledRejection", note);
afterEach(() => expect(unhandled).toEqual([]));

const placeOf = ({ keys }: TensorHandle): string => JSON.stringify(keys);

/** What reading a file comes to. */
interface Outcome {
  /** Codes and rules of everything that was noticed. */
  noticed: string[];
  /** The tensors that were read, by their keys. */
  read: Map<string, { tensor: TensorHandle; bytes: Uint8Array }>;
}

/** Opens a file, reads tensors of it and checks their CRC-32. Anything but a CheckpointError fails the test. */
async function outcomeOf(bytes: Uint8Array, entry: FixtureEntry, parts: ReadonlyMap<string, Uint8Array>, seed: number): Promise<Outcome> {
  const outcome: Outcome = { noticed: [], read: new Map() };
  const attempt = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof CheckpointError) || error.code === "INTERNAL") throw error;
      outcome.noticed.push(error.code);
      return undefined;
    }
  };
  const openSibling = async (name: string) => {
    const part = parts.get(name);
    if (!part) throw new CheckpointError("NOT_FOUND", `There is no ${name}.`);
    return memorySource(part, name);
  };
  const checkpoint = await attempt(() => openCheckpoint(memorySource(bytes, entry.file), { openSibling }));
  if (!checkpoint) return outcome;
  outcome.noticed.push(...checkpoint.findings.map(({ rule }) => rule));
  const random = seededRandom(seed);
  const chosen = checkpoint.tensors.filter(() => random.integer(checkpoint.tensors.length) < TENSORS_READ);
  for (const tensor of chosen) {
    if (!tensor.storage || tensor.byteLength > 10_000_000) continue;
    const watch = watchCrc(tensor.storage, kernels);
    const read = await attempt(() => tensor.read());
    if (read) {
      expect(read.length).toBe(tensor.byteLength);
      outcome.read.set(placeOf(tensor), { tensor, bytes: read });
    }
    if (read && watch) await attempt(() => watch.finish());
    watch?.cancel();
  }
  await checkpoint.close();
  return outcome;
}

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

async function partsOf(entry: FixtureEntry): Promise<Map<string, Uint8Array>> {
  return new Map(await Promise.all((entry.parts ?? []).map(async (part) => [part, await readFixture(part)] as const)));
}

/** All tensors of the file as it was. */
async function tensorsOf(entry: FixtureEntry, original: Uint8Array): Promise<Outcome["read"]> {
  const all: Outcome["read"] = new Map();
  if (entry.format !== "torch-zip") return all;
  const { tensors } = await openCheckpoint(memorySource(original));
  for (const tensor of tensors) if (tensor.storage) all.set(placeOf(tensor), { tensor, bytes: await tensor.read() });
  return all;
}

describe.each(fixtures().map((entry) => [entry.file, entry] as const))("%s, damaged 500 times", (file, entry) => {
  it("gives a coded error, a finding, or what it gave before", async () => {
    const original = await readFixture(file);
    const parts = await partsOf(entry);
    const before = await tensorsOf(entry, original);
    // Where there is no CRC-32 the bytes may differ unnoticed; safetensors and legacy files have none.
    const hasCrc = file !== "no-crc.pt" && entry.bytesWritten !== false;
    for (let seed = 0; seed < COPIES; seed++) {
      const { bytes, description } = damage(original, seed);
      const { noticed, read } = await outcomeOf(bytes, entry, parts, seed).catch((error: unknown) => {
        throw new Error(`${file}, ${description}: ${error instanceof Error ? error.stack : String(error)}`);
      });
      if (noticed.length > 0 || entry.format !== "torch-zip") continue;
      for (const [place, { tensor, bytes: found }] of read) {
        const expected = before.get(place);
        const label = `${file}, ${description}: ${place}`;
        expect([tensor.dtype, tensor.shape], label).toEqual([expected?.tensor.dtype, expected?.tensor.shape]);
        expect(!hasCrc || (expected !== undefined && same(found, expected.bytes)), label).toBe(true);
      }
    }
  });
});

describe("a stored record", () => {
  it("that is changed anywhere is noticed by its CRC-32", async () => {
    const original = await readFixture("lstm.pt");
    const checkpoint = await openCheckpoint(memorySource(original));
    for (const [index, tensor] of checkpoint.tensors.entries()) {
      const clean = await tensor.read();
      const at = Buffer.from(original).indexOf(Buffer.from(clean));
      expect(at).toBeGreaterThan(0);
      const bytes = original.slice();
      bytes[at + ((index * 37) % clean.length)] = (bytes[at + ((index * 37) % clean.length)] ?? 0) ^ 0x10;
      const damaged = (await openCheckpoint(memorySource(bytes))).tensors[index];
      const watch = damaged?.storage && watchCrc(damaged.storage, kernels);
      expect(same((await damaged?.read()) ?? clean, clean)).toBe(false);
      await expect(watch?.finish()).rejects.toMatchObject({ code: "CRC_MISMATCH" });
    }
  });

  it("that describes the checkpoint gives a finding when it opens", async () => {
    const original = await readFixture("lstm.pt");
    const at = Buffer.from(original).indexOf("weight_ih_l0");
    const bytes = original.slice();
    bytes[at] = 0x57; // another name, and a pickle that is right as such
    const { findings, tensors } = await openCheckpoint(memorySource(bytes));
    expect(findings.map(({ rule }) => rule)).toEqual([CRC_RULE]);
    expect(tensors.some(({ name }) => name.includes("Weight_ih_l0"))).toBe(true);
  });
});
