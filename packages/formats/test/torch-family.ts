import { type ByteSource, type Checkpoint, CheckpointNotFoundError, countSource, type Json, memorySource } from "@ckptkit/core";
import { loadFixture } from "@ckptkit/testkit/vite";
import { type OpenCheckpointOptions, openCheckpoint } from "../src/index.js";

/** What torch says of a file in another container: see fixtures/generate/torch_containers.py. */
export interface FamilyEntry {
  readonly file: string;
  readonly format: string;
  readonly parts?: readonly string[];
  readonly tensors: readonly { path: string; dtype: string; shape: number[]; sha256: string }[];
  /** Tensors whose names only the reader knows. */
  readonly unordered?: readonly { dtype: string; shape: number[]; sha256: string }[];
  readonly metadata?: { readonly [key: string]: Json };
}

/** All of them. */
export async function familyFixtures(): Promise<readonly FamilyEntry[]> {
  const text = new TextDecoder().decode(await loadFixture("torch-containers.json"));
  // The generator wrote it: its shape is that of FamilyEntry.
  return (JSON.parse(text) as { fixtures: FamilyEntry[] }).fixtures;
}

/** What stands before the names of a folder's files, which lie side by side in the fixtures. */
export const stemOf = (file: string): string => (file.endsWith(".metadata") ? file.slice(0, -".metadata".length) : "");

/** The bytes of a fixture and of the files that belong to it, by the names that it gives them. */
export async function familyFiles({ file, parts = [] }: FamilyEntry): Promise<Map<string, Uint8Array>> {
  const stem = stemOf(file);
  const all = await Promise.all([file, ...parts].map(async (name) => [name.slice(stem.length), await loadFixture(name)] as const));
  return new Map(all);
}

/** Opens files that belong together, from memory; counts what is read. */
export function openFiles(
  main: string,
  files: ReadonlyMap<string, Uint8Array>,
  options: OpenCheckpointOptions = {},
): { checkpoint: Promise<Checkpoint>; counts: Map<string, ReturnType<typeof countSource>> } {
  const counts = new Map<string, ReturnType<typeof countSource>>();
  const open = (name: string): ByteSource => {
    const bytes = files.get(name);
    if (!bytes) throw new CheckpointNotFoundError("NOT_FOUND", `There is no ${name}.`);
    const counted = countSource(memorySource(bytes, name));
    counts.set(name, counted);
    return counted;
  };
  const openSibling = async (name: string): Promise<ByteSource> => open(name);
  return { checkpoint: openCheckpoint(open(main), { openSibling, ...options }), counts };
}
