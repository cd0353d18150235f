import { readSync, realpathSync } from "node:fs";
import { CheckpointSourceError } from "@ckptkit/core";
import { digestOf, journalPath, type ReadJournal, readJournal } from "./journal.js";

/**
 * How far an edit came whose journal is still there. `before`: no byte was changed, or all were put back. `after`: all were changed. `torn`: some
 * were. `stranger`: the file is another one than the journal is of.
 */
export type JournalState = "before" | "after" | "torn" | "stranger";

/** Compares an open file with a journal. */
export function journalState(journal: ReadJournal, fd: number, size: number): JournalState {
  const { old, lengths, sizeBefore, sizeAfter, digestAfter, witness } = journal;
  const read = (start: number, length: number): Uint8Array => {
    const target = new Uint8Array(Math.max(0, Math.min(length, size - start)));
    for (let filled = 0; filled < target.length; ) {
      const bytesRead = readSync(fd, target, filled, target.length - filled, start + filled);
      if (bytesRead === 0) return target.subarray(0, filled);
      filled += bytesRead;
    }
    return target;
  };
  // While it runs, an edit makes a file longer and never shorter, but for its last step.
  const isPossible = size >= Math.min(sizeBefore, sizeAfter) && size <= Math.max(sizeBefore, sizeAfter, ...endsOf(journal));
  if (!isPossible || digestOf(read(witness.start, witness.end - witness.start)) !== witness.digest) return "stranger";
  const isOld = old.every(({ at, bytes }) => Buffer.compare(read(at, bytes.length), bytes) === 0);
  if (size === sizeBefore && isOld) return "before";
  const isNew = digestOf(...old.map(({ at }, index) => read(at, lengths[index] ?? 0))) === digestAfter;
  return size === sizeAfter && isNew ? "after" : "torn";
}

const endsOf = ({ old, lengths }: ReadJournal): number[] => old.map(({ at }, index) => at + (lengths[index] ?? 0));

/**
 * Refuses a file that an edit has left half-changed. Costs one look for a name where there is no journal.
 *
 * @throws {CheckpointSourceError} UNFINISHED_EDIT
 */
export function checkNoUnfinishedEdit(path: string, fd: number, size: number): void {
  const journal = readJournal(realpathSync.native(path));
  if (journal && journalState(journal, fd, size) === "torn") throw unfinishedEdit(path);
}

/** The error for a file with a journal beside it. */
export const unfinishedEdit = (path: string): CheckpointSourceError =>
  new CheckpointSourceError("UNFINISHED_EDIT", `${path} is being changed by another process, or a change of it was cut off.`, {
    details: { path, journal: journalPath(path) },
    suggestions: [
      "Wait for the other process, if there is one, and try again.",
      `Put the file back as it was: ckpt metadata ${path} --restore, or restoreEdit(path) of @ckptkit/node.`,
    ],
  });
