import { looksLikeCheckpoint } from "@ckptkit/core";

/** A checkpoint among several, to choose from. */
export interface Candidate {
  /** Path in the folder, or address. */
  readonly id: string;
  readonly name: string;
  /** Bytes, where they are known; of all shards together. */
  readonly bytes: number | undefined;
  readonly about: string;
}

/** A file that a person chose or dropped, with its path from the folder that it was in. */
export interface PickedFile {
  readonly path: string;
  readonly file: File;
}

/** The name of a shard: `model-00001-of-00003.safetensors`. */
const SHARD = /-\d{5}-of-\d{5}\.\w+$/;

/**
 * The checkpoints among files, by their names: the index of a sharded one stands for all of its shards.
 *
 * @returns the largest first
 */
export function checkpointCandidates(files: readonly PickedFile[]): Candidate[] {
  const stems = new Map<string, number>();
  for (const { path, file } of files) {
    if (SHARD.test(path)) stems.set(path.replace(SHARD, ""), (stems.get(path.replace(SHARD, "")) ?? 0) + file.size);
  }
  const indexes = new Set(
    files.filter(({ path }) => path.endsWith(".index.json")).map(({ path }) => path.replace(/\.\w+\.index\.json$/, "")),
  );
  const candidates = files.flatMap(({ path, file }): Candidate[] => {
    if (!looksLikeCheckpoint(path)) return [];
    if (SHARD.test(path) && indexes.has(path.replace(SHARD, ""))) return [];
    const name = path.slice(path.indexOf("/") + 1);
    if (!path.endsWith(".index.json")) return [{ id: path, name, bytes: file.size, about: "" }];
    const bytes = file.size + (stems.get(path.replace(/\.\w+\.index\.json$/, "")) ?? 0);
    return [{ id: path, name, bytes, about: "with its shards" }];
  });
  return candidates.sort((a, b) => (b.bytes ?? 0) - (a.bytes ?? 0));
}
