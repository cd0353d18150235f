import { type CheckpointCandidate, type Folder, listCheckpoints } from "@ckptkit/browser";
import { CheckpointError, CheckpointLoadError, CheckpointNotFoundError, someNames } from "@ckptkit/core";
import type { Way } from "./sessions.js";

/** A checkpoint among several, to choose from. */
export interface Candidate {
  /** Path in the folder, or address. */
  readonly id: string;
  readonly name: string;
  /** Bytes, where they are known; of all shards together. */
  readonly bytes: number | undefined;
  readonly about: string;
}

/** The checkpoints in a folder, for a person to choose from. @throws {CheckpointNotFoundError} NOT_FOUND when there is none */
export async function candidatesIn(folder: Folder): Promise<Candidate[]> {
  const found = await listCheckpoints(folder);
  if (found.length > 0)
    return found.map((candidate) => ({ id: candidate.path, name: candidate.path, bytes: candidate.byteLength, about: about(candidate) }));
  const names = (await folder.list()).map(({ path }) => path);
  throw new CheckpointNotFoundError("NOT_FOUND", `${folder.name} holds no file that looks like a checkpoint, only ${someNames(names)}.`, {
    details: { folder: folder.name, files: names.length },
    suggestions: ["Choose one file by itself: it is then opened by its content, whatever its name."],
  });
}

function about({ shards, missing }: CheckpointCandidate): string {
  if (missing.length > 0) return `${missing.length} of ${shards.length + missing.length} shards are missing`;
  return shards.length > 0 ? `${shards.length} shards` : "";
}

/** Opens the files of a folder. A page sees only what it was given: an index that came alone says so. */
export function reachIn(folder: Folder, first: string, files: number): Way["open"] {
  return async (path) => {
    try {
      return await folder.open(path);
    } catch (error) {
      if (!(error instanceof CheckpointError) || error.code !== "NOT_FOUND" || path === first || files > 1) throw error;
      throw new CheckpointLoadError(
        "SAFETENSORS_INDEX",
        `${first} is the index of a sharded checkpoint: its tensors are in other files (${path} ...).`,
        {
          details: { index: first, shard: path },
          suggestions: ["Choose or drop the whole folder, or all its files together: a page sees only what it is given."],
        },
      );
    }
  };
}
