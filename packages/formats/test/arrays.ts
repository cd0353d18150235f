import { type Checkpoint, memorySource } from "@ckptkit/core";
import { loadFixture } from "@ckptkit/testkit/vite";
import { openCheckpoint } from "../src/index.js";

/** What numpy or gguf says of one tensor. */
export interface ArrayTruth {
  readonly path: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly byteLength: number;
  readonly sha256: string;
  /** Of the float32 numbers that gguf makes of quantised blocks. */
  readonly numbersSha256?: string;
}

/** One entry of `fixtures/files/arrays.json`. */
export interface ArrayFile {
  readonly file: string;
  readonly format: string;
  readonly byteLength: number;
  readonly tensors: readonly ArrayTruth[];
}

/** Every numpy and GGUF file of the fixtures, in Node and browsers alike. */
export async function arrayFiles(): Promise<readonly ArrayFile[]> {
  const text = new TextDecoder().decode(await loadFixture("arrays.json"));
  return (JSON.parse(text) as { files: ArrayFile[] }).files; // the generator wrote it in this shape
}

/** Opens bytes from memory by their content. */
export const openBytes = (bytes: Uint8Array<ArrayBuffer>, name = "file", options = {}): Promise<Checkpoint> =>
  openCheckpoint(memorySource(bytes, name), options);

/** Little-endian parts of a file that a test makes up. */
export class Parts {
  readonly #bytes: number[] = [];

  text(text: string): this {
    this.#bytes.push(...new TextEncoder().encode(text));
    return this;
  }

  raw(...bytes: number[]): this {
    this.#bytes.push(...bytes);
    return this;
  }

  u32(...values: number[]): this {
    for (const value of values) for (let byte = 0; byte < 4; byte++) this.#bytes.push(Math.floor(value / 256 ** byte) % 256);
    return this;
  }

  u64(...values: (number | bigint)[]): this {
    for (const value of values) for (let byte = 0n; byte < 8n; byte++) this.#bytes.push(Number((BigInt(value) >> (8n * byte)) & 255n));
    return this;
  }

  /** Text with its length before it. */
  string(text: string): this {
    return this.u64(new TextEncoder().encode(text).length).text(text);
  }

  padTo(multiple: number): this {
    while (this.#bytes.length % multiple !== 0) this.#bytes.push(0);
    return this;
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(this.#bytes);
  }
}
