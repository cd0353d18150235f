import type { Checkpoint, TensorGroup } from "@ckptkit/core";
import { loadFixture } from "@ckptkit/testkit/vite";
import type { OpenCheckpointOptions } from "../src/index.js";
import { openFiles } from "./torch-family.js";

/** What onnx or TensorFlow says of one tensor. */
export interface ExchangeTruth {
  readonly path: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly byteLength: number;
  readonly sha256: string;
  /** Of the float32 numbers that packed elements stand for. */
  readonly numbersSha256?: string;
  readonly name?: string;
  readonly group?: TensorGroup;
}

/** One entry of `fixtures/files/onnx.json` or `tensorflow.json`. */
export interface ExchangeFile {
  readonly file: string;
  /** Files that belong to it. */
  readonly beside: readonly string[];
  readonly tensors: readonly ExchangeTruth[];
  /** Values that are text. */
  readonly texts?: Readonly<Record<string, string | readonly string[]>>;
}

/** The files of one of both, in Node and browsers alike. */
export async function exchangeFiles(list: "onnx.json" | "tensorflow.json"): Promise<readonly ExchangeFile[]> {
  const text = new TextDecoder().decode(await loadFixture(list));
  return (JSON.parse(text) as { files: ExchangeFile[] }).files; // the generator wrote it in this shape
}

/** The bytes of files of the fixtures, by name. */
export async function bytesOf(...names: readonly string[]): Promise<Map<string, Uint8Array>> {
  return new Map(await Promise.all(names.map(async (name) => [name, await loadFixture(name)] as const)));
}

/** Opens files that belong together by one of them. */
export const openAmong = (main: string, files: ReadonlyMap<string, Uint8Array>, options: OpenCheckpointOptions = {}): Promise<Checkpoint> =>
  openFiles(main, files, options).checkpoint;

export const rulesOf = ({ findings }: Checkpoint): string[] => findings.map(({ rule }) => rule);

/** A varint. */
export function varint(value: number | bigint): number[] {
  const bytes: number[] = [];
  for (let rest = BigInt.asUintN(64, BigInt(value)); ; rest /= 128n) {
    if (rest < 128n) return [...bytes, Number(rest)];
    bytes.push(Number(rest % 128n) + 128);
  }
}

/** A field of a protobuf message: a number, text, or the bytes of a message within. */
export function field(number: number, value: number | bigint | string | readonly number[]): number[] {
  if (typeof value === "number" || typeof value === "bigint") return [...varint(number * 8), ...varint(value)];
  const bytes = typeof value === "string" ? [...new TextEncoder().encode(value)] : value;
  return [...varint(number * 8 + 2), ...varint(bytes.length), ...bytes];
}
