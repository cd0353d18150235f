import { type ByteSource, type Checkpoint, CheckpointError, type KernelPool, Pauser, type Progress, SCAN_PART_BYTES } from "@ckptkit/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { plainSafetensors } from "./plain-safetensors.js";

/** What the operations under test are told. */
export interface PoolRunOptions {
  pool?: KernelPool | undefined;
  pauser?: Pauser | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** A pool, and what makes one of its workers end without a word. */
export interface PoolUnderTest {
  readonly pool: KernelPool;
  kill(): void;
}

/** What is tested, and on what. */
export interface PoolContract {
  open(size: number): Promise<PoolUnderTest>;
  /** The same bytes as every kind of source that checkpoints are read from here. */
  sources(bytes: Uint8Array<ArrayBuffer>, name: string): Promise<{ [kind: string]: ByteSource }>;
  /** Files to compare on, by name. */
  files(): Promise<readonly string[]>;
  load(file: string): Promise<Uint8Array<ArrayBuffer>>;
  openCheckpoint(source: ByteSource, options: { openSibling(name: string): Promise<ByteSource> }): Promise<Checkpoint>;
  scan(checkpoint: Checkpoint, options: PoolRunOptions): Promise<unknown>;
  hash(checkpoint: Checkpoint, options: PoolRunOptions): Promise<unknown>;
}

const SIZES = [1, 2, 4];
/** Parts of the large tensor. */
const PARTS = 4;

/** Numbers without a pattern, the same every time; a NaN in the third part and an infinity in the last. */
function largeFile(): Uint8Array<ArrayBuffer> {
  const numbers = new Float32Array((PARTS * SCAN_PART_BYTES) / 4 - 1000);
  let state = 1;
  for (let i = 0; i < numbers.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    numbers[i] = state / 2 ** 31 - 1;
  }
  numbers[FIRST_NAN] = Number.NaN;
  numbers[numbers.length - 5] = Infinity;
  const bytes = new Uint8Array(numbers.buffer);
  const small = new Uint8Array(Float32Array.of(1, 2, 3).buffer);
  return plainSafetensors({
    large: { dtype: "F32", shape: [numbers.length], bytes },
    ...Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`small.${i}`, { dtype: "F32", shape: [3], bytes: small }])),
    again: { dtype: "F32", shape: [numbers.length], bytes },
  });
}

const FIRST_NAN = (2 * SCAN_PART_BYTES) / 4 + 12_345;

/** Error facts that people and programs see. */
const factsOf = (error: unknown): unknown => (error instanceof CheckpointError ? [error.name, error.toJSON()] : String(error));

/**
 * What every pool of workers keeps: results to the last bit as without it, whatever its size; progress to the last byte; pause, cancel and
 * failures as without it; an error and no hang when a worker dies.
 */
export function kernelPoolContract(name: string, contract: PoolContract): void {
  describe(`a pool of ${name}`, () => {
    const pools = new Map<number, PoolUnderTest>();
    let large: Uint8Array<ArrayBuffer>;
    const poolOf = (size: number): KernelPool => {
      const found = pools.get(size);
      if (!found) throw new Error(`There is no pool of ${size} workers.`);
      return found.pool;
    };
    const open = async (bytes: Uint8Array<ArrayBuffer>, file = "file.safetensors"): Promise<[string, Checkpoint][]> => {
      const opened: [string, Checkpoint][] = [];
      const sources = await contract.sources(bytes, file);
      const sibling = async (other: string, kind: string): Promise<ByteSource> => {
        const found = (await contract.sources(await contract.load(other), other))[kind];
        if (!found) throw new Error(`No source of the kind ${kind}`);
        return found;
      };
      for (const [kind, source] of Object.entries(sources)) {
        opened.push([kind, await contract.openCheckpoint(source, { openSibling: (other) => sibling(other, kind) })]);
      }
      return opened;
    };
    const openLarge = async (): Promise<Checkpoint> => {
      const [first] = await open(large);
      if (!first) throw new Error("The contract has no sources.");
      return first[1];
    };

    beforeAll(async () => {
      large = largeFile();
      for (const size of SIZES) pools.set(size, await contract.open(size));
    });
    afterAll(() => {
      for (const { pool } of pools.values()) pool.close();
    });

    it("gives the same for every fixture as this thread alone, to the last bit", async () => {
      for (const file of await contract.files()) {
        for (const [kind, checkpoint] of await open(await contract.load(file), file)) {
          const scanned = await contract.scan(checkpoint, {});
          const hashed = await contract.hash(checkpoint, {}).catch(factsOf);
          for (const size of SIZES) {
            expect(await contract.scan(checkpoint, { pool: poolOf(size) }), `${file} from ${kind}, ${size} workers`).toEqual(scanned);
            expect(await contract.hash(checkpoint, { pool: poolOf(size) }).catch(factsOf), `${file} from ${kind}`).toEqual(hashed);
          }
          await checkpoint.close();
        }
      }
    });

    it("gives the same for tensors of many parts, and knows where their first NaN is", async () => {
      for (const [kind, checkpoint] of await open(large)) {
        const alone = await contract.scan(checkpoint, {});
        expect(alone).toMatchObject({ tensors: expect.arrayContaining([expect.objectContaining({ path: "large", nan: 1, posInf: 1 })]) });
        expect(alone).toMatchObject({ tensors: expect.arrayContaining([expect.objectContaining({ firstNonFinite: FIRST_NAN })]) });
        const digests = await contract.hash(checkpoint, {});
        for (const size of SIZES) {
          expect(await contract.scan(checkpoint, { pool: poolOf(size) }), `${kind}, ${size} workers`).toEqual(alone);
          expect(await contract.hash(checkpoint, { pool: poolOf(size) }), `${kind}, ${size} workers`).toEqual(digests);
        }
        await checkpoint.close();
      }
    });

    it("reports progress that never goes back and ends at the last byte", async () => {
      const checkpoint = await openLarge();
      for (const pool of [undefined, ...SIZES.map(poolOf)]) {
        const seen: Progress[] = [];
        await contract.scan(checkpoint, { pool, onProgress: (progress) => seen.push(progress) });
        expect(seen.map(({ done }) => done)).toEqual(seen.map(({ done }) => done).sort((a, b) => a - b));
        expect(seen.at(-1)).toMatchObject({ phase: "scan", done: seen[0]?.total, total: seen[0]?.total });
      }
    });

    it("stops within a tenth of a second when it is aborted, and works on", async () => {
      const checkpoint = await openLarge();
      const controller = new AbortController();
      let abortedAt = 0;
      const onProgress = (): void => {
        abortedAt ||= performance.now();
        controller.abort(new Error("enough"));
      };
      const scan = contract.scan(checkpoint, { pool: poolOf(2), signal: controller.signal, onProgress });
      await expect(scan).rejects.toThrow("enough");
      expect(performance.now() - abortedAt).toBeLessThan(100);
      await expect(contract.scan(checkpoint, { pool: poolOf(2), signal: controller.signal })).rejects.toThrow("enough");
      await expect(contract.scan(checkpoint, { pool: poolOf(2) })).resolves.toBeDefined();
    });

    it("does nothing while it is held, and goes on to the same end", async () => {
      const checkpoint = await openLarge();
      const pauser = new Pauser();
      let reports = 0;
      const onProgress = (): void => {
        if (reports++ === 0) pauser.pause();
      };
      const scan = contract.scan(checkpoint, { pool: poolOf(2), pauser, onProgress });
      while (!pauser.paused) await new Promise((resolve) => setTimeout(resolve, 5));
      await new Promise((resolve) => setTimeout(resolve, 100)); // reads that were on their way
      const held = reports;
      await new Promise((resolve) => setTimeout(resolve, 150));
      expect(reports).toBe(held);
      pauser.resume();
      expect(await scan).toEqual(await contract.scan(checkpoint, {}));
    });

    it("can be cancelled while it is held", async () => {
      const checkpoint = await openLarge();
      const pauser = new Pauser();
      pauser.pause();
      const controller = new AbortController();
      const scan = contract.scan(checkpoint, { pool: poolOf(2), pauser, signal: controller.signal });
      setTimeout(() => controller.abort(new Error("enough")), 20);
      await expect(scan).rejects.toThrow("enough");
    });

    it("says WORKER_FAILED when a worker dies at work, and starts another for the next", async () => {
      const { pool, kill } = await contract.open(1);
      try {
        const checkpoint = await openLarge();
        let killed = false;
        const onProgress = (): void => {
          if (!killed) kill();
          killed = true;
        };
        await expect(contract.scan(checkpoint, { pool, onProgress })).rejects.toMatchObject({ code: "WORKER_FAILED" });
        expect(await contract.scan(checkpoint, { pool })).toEqual(await contract.scan(checkpoint, {}));
      } finally {
        pool.close();
      }
    });

    it("refuses work after it has been closed", async () => {
      const { pool } = await contract.open(1);
      pool.close();
      await expect(pool.run({ sources: [], pieces: [] })).rejects.toMatchObject({ code: "INTERNAL" });
    });

    it("fails with the error that a source has, code and message and all", async () => {
      const { pool } = await contract.open(1);
      try {
        const source = { key: "gone", descriptor: { kind: "memory", bytes: new Uint8Array(8), name: "short" } };
        const job = { sources: [source], pieces: [{ source: 0, start: 0, end: 16, work: { kind: "scan", dtype: "F32" } as const }] };
        await expect(pool.run(job)).rejects.toMatchObject({ code: "OUT_OF_RANGE", name: "CheckpointSourceError", details: { size: 8 } });
      } finally {
        pool.close();
      }
    });
  });
}
