/** What assembly/index.ts exports. Pointers and lengths are unsigned 32-bit integers, the byte maps are in assembly/. */
export interface KernelExports {
  heapBase(): number;
  cast(from: number, to: number, source: number, count: number, target: number, room: number): void;
  scanInit(state: number, kind: number): void;
  scanUpdate(state: number, pointer: number, length: number): void;
  scanResult(state: number): number;
  finiteLength(kind: number, pointer: number, length: number): number;
  countBytes(tables: number, pointer: number, length: number): void;
  crc32Init(context: number, polynomial: number): void;
  crc32Update(context: number, polynomial: number, register: number, pointer: number, length: number): number;
  sha256Init(state: number): void;
  sha256Update(state: number, pointer: number, length: number): void;
  sha256Digest(state: number, out: number): void;
  sha256Four(lanes: number, blocks: number): void;
  md5Init(state: number): void;
  md5Update(state: number, pointer: number, length: number): void;
  md5Digest(state: number, out: number): void;
  blake3Init(state: number): void;
  blake3Update(state: number, pointer: number, length: number): void;
  blake3Digest(state: number, out: number): void;
  xxh3Init(state: number): void;
  xxh3Update(state: number, pointer: number, length: number): void;
  xxh3Digest64(state: number, out: number): void;
  xxh3Digest128(state: number, out: number): void;
}
