import type {
  Bytes,
  CastDType,
  HashAlgorithm,
  Hasher,
  KernelBuffer,
  Kernels,
  ScanDType,
  Scanner,
  ScanPart,
  ScanResult,
} from "@ckptkit/core";
import { DTYPES } from "@ckptkit/core";
import { Arena } from "./arena.js";
import { isByteDType } from "./byte-scan.js";
import { checkByteLength, checkCast, checkSearch, memoryUsedUp } from "./checks.js";
import { digestsOf, hasherOf, scannerOf } from "./handles.js";
import type { KernelExports } from "./kernel-exports.js";
import { mergeScans } from "./merge-scans.js";
import { readCounts, readScanPart, SCAN_STATE_BYTES } from "./scan-memory.js";
import { SHA256_LANES_BYTES, sha256Lanes } from "./sha256-lanes.js";
import { HASHES, type StateHash } from "./wasm-hashes.js";

/** Bytes of a page of WebAssembly memory. */
export const PAGE_BYTES = 65536;

/** Bytes that do not lie in the kernels' memory are copied through an area of this size: small enough for a second-level cache. */
const SCRATCH_BYTES = 128 * 1024;
/** The areas before the scratch, in bytes: a digest, and the room that assembly/cast.ts asks for. */
const DIGEST_BYTES = 64;
const ROOM_BYTES = 128;
/** assembly/crc32.ts: the context of one polynomial. */
const CRC_CONTEXT_BYTES = 28672;
/** assembly/scan.ts, countBytes */
const COUNT_STATE_BYTES = 8192;

/** The kinds of elements of assembly/scan.ts; undefined for those that are counted by their bytes. */
const SCAN_KINDS = { F64: 0, F32: 1, C64: 1, F16: 2, BF16: 3, I64: 4, U64: 5, I32: 6, U32: 7, I16: 8, U16: 9 } as const;

/** The kinds of elements of assembly/finite.ts: of those that can be other than finite. */
const FLOAT_KINDS: Partial<Record<ScanDType, number>> = { F64: 0, F32: 1, C64: 1, F16: 2, BF16: 3, F8_E4M3: 10, F8_E5M2: 11 };

/** Reflected polynomials, in the order of their contexts. */
const POLYNOMIALS = { crc32: 0xedb88320, crc32c: 0x82f63b78 } as const;

/** The kernels in WebAssembly, over a memory that never grows. */
export class WasmKernels implements Kernels {
  readonly name = "wasm";
  readonly #exports: KernelExports;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #arena: Arena;
  readonly #digest: number;
  readonly #room: number;
  readonly #scratch: number;
  readonly #contexts: number;
  readonly #readyContexts = new Set<number>();

  constructor(exports: KernelExports, memory: WebAssembly.Memory) {
    this.#exports = exports;
    this.#bytes = new Uint8Array(memory.buffer);
    this.#view = new DataView(memory.buffer);
    this.#digest = Math.ceil(exports.heapBase() / 64) * 64;
    this.#room = this.#digest + DIGEST_BYTES;
    this.#contexts = this.#room + ROOM_BYTES;
    this.#scratch = this.#contexts + 2 * CRC_CONTEXT_BYTES;
    this.#arena = new Arena(this.#scratch + SCRATCH_BYTES, this.#bytes.length);
  }

  allocate(byteLength: number): KernelBuffer {
    checkByteLength(byteLength);
    const address = this.#allocate(byteLength);
    let freed = false;
    return {
      bytes: this.#bytes.subarray(address, address + byteLength),
      free: () => {
        // Twice must not free what has been given to another since.
        if (!freed) this.#arena.free(address);
        freed = true;
      },
    };
  }

  scanner(dtype: ScanDType): Scanner {
    return scannerOf(dtype, () => {
      if (isByteDType(dtype)) {
        const tables = this.#allocate(COUNT_STATE_BYTES);
        this.#bytes.fill(0, tables, tables + COUNT_STATE_BYTES);
        return {
          update: (bytes) => this.#feed(bytes, (pointer, length) => this.#exports.countBytes(tables, pointer, length)),
          finish: () => ({ dtype, counts: readCounts(this.#view, tables) }),
          release: () => this.#arena.free(tables),
        };
      }
      const state = this.#allocate(SCAN_STATE_BYTES);
      this.#exports.scanInit(state, SCAN_KINDS[dtype]);
      return {
        update: (bytes) => this.#feed(bytes, (pointer, length) => this.#exports.scanUpdate(state, pointer, length)),
        finish: () => readScanPart(this.#view, dtype, this.#exports.scanResult(state) >>> 0),
        release: () => this.#arena.free(state),
      };
    });
  }

  mergeScans(parts: readonly ScanPart[]): ScanResult {
    return mergeScans(parts);
  }

  nextNonFinite(dtype: ScanDType, bytes: Bytes, from = 0): number {
    checkSearch(dtype, bytes, from);
    const kind = FLOAT_KINDS[dtype];
    if (kind === undefined) return -1;
    const inside = bytes.buffer === this.#bytes.buffer;
    const step = inside ? bytes.length : SCRATCH_BYTES;
    for (let at = from; at < bytes.length; at += step) {
      const piece = bytes.subarray(at, at + step);
      const finite = this.#exports.finiteLength(kind, this.#place(piece), piece.length) >>> 0;
      if (finite < piece.length) return at + finite;
    }
    return -1;
  }

  hasher(algorithm: HashAlgorithm): Hasher {
    return hasherOf(algorithm, () =>
      algorithm === "crc32" || algorithm === "crc32c" ? this.#crc(algorithm) : this.#hash(HASHES[algorithm]),
    );
  }

  digests(algorithm: HashAlgorithm, messages: readonly Bytes[]): Uint8Array[] {
    if (algorithm !== "sha256") return digestsOf(this, algorithm, messages);
    const room = this.#allocate(SHA256_LANES_BYTES);
    const [exports, bytes, view] = [this.#exports, this.#bytes, this.#view];
    try {
      return sha256Lanes(messages, { exports, bytes, view, room, scratch: this.#scratch, scratchBytes: SCRATCH_BYTES });
    } finally {
      this.#arena.free(room);
    }
  }

  cast(from: CastDType, to: CastDType, source: Bytes, target: Bytes): number {
    const byteLength = checkCast(from, to, source, target);
    const sourceBytes = DTYPES[from].bits / 8;
    const targetBytes = DTYPES[to].bits / 8;
    const inside = target.buffer === this.#bytes.buffer;
    // Outside of the memory, each end of the cast has one half of the scratch; 8 bytes are the largest element.
    const half = SCRATCH_BYTES / 2;
    const elements = source.length / sourceBytes;
    const step = inside && source.buffer === target.buffer ? elements : half / 8;
    for (let done = 0; done < elements; done += step) {
      const count = Math.min(step, elements - done);
      const from_ = source.subarray(done * sourceBytes, (done + count) * sourceBytes);
      const out = inside ? target.byteOffset + done * targetBytes : this.#scratch + half;
      this.#exports.cast(SCAN_KINDS[from], SCAN_KINDS[to], this.#place(from_), count, out, this.#room);
      if (!inside) target.set(this.#bytes.subarray(out, out + count * targetBytes), done * targetBytes);
    }
    return byteLength;
  }

  #allocate(byteLength: number): number {
    const address = this.#arena.allocate(byteLength);
    if (address === undefined) throw memoryUsedUp(byteLength, this.#bytes.length);
    return address;
  }

  /** The address of bytes: where they are, or the scratch, into which they are copied. */
  #place(bytes: Bytes): number {
    if (bytes.buffer === this.#bytes.buffer) return bytes.byteOffset;
    this.#bytes.set(bytes, this.#scratch);
    return this.#scratch;
  }

  /** Calls `work` with the bytes in the memory: in place when they are there, else copied piece by piece. */
  #feed(bytes: Bytes, work: (pointer: number, length: number) => void): void {
    if (bytes.buffer === this.#bytes.buffer) {
      work(bytes.byteOffset, bytes.length);
      return;
    }
    for (let at = 0; at < bytes.length; at += SCRATCH_BYTES) {
      const piece = bytes.subarray(at, at + SCRATCH_BYTES);
      work(this.#place(piece), piece.length);
    }
  }

  #hash({ stateBytes, digestBytes, start }: StateHash) {
    const { init, update, digest } = start(this.#exports);
    const state = this.#allocate(stateBytes);
    init(state);
    return {
      update: (bytes: Bytes) => this.#feed(bytes, (pointer, length) => update(state, pointer, length)),
      finish: () => {
        digest(state, this.#digest);
        return this.#bytes.slice(this.#digest, this.#digest + digestBytes);
      },
      release: () => this.#arena.free(state),
    };
  }

  #crc(algorithm: keyof typeof POLYNOMIALS) {
    const polynomial = POLYNOMIALS[algorithm];
    const context = this.#contexts + (algorithm === "crc32" ? 0 : CRC_CONTEXT_BYTES);
    if (!this.#readyContexts.has(context)) this.#exports.crc32Init(context, polynomial);
    this.#readyContexts.add(context);
    let register = -1;
    return {
      update: (bytes: Bytes) =>
        this.#feed(bytes, (pointer, length) => {
          register = this.#exports.crc32Update(context, polynomial, register, pointer, length);
        }),
      finish: () => {
        const digest = new Uint8Array(4);
        new DataView(digest.buffer).setInt32(0, ~register);
        return digest;
      },
      release: () => {},
    };
  }
}
